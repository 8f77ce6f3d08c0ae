"""Who gets the keys of a portion: free keys are taken, those of dead or cancelled holders may be taken over.

A key is held by one item. A line whose key is held by an item that succeeded, was skipped or may still run is a
duplicate (with another payload: a conflict). If the holder was cancelled, the line takes the key over and runs. If the
holder is dead or purged, the same payload is a duplicate of a dead holder; another payload takes the key over.
"""

from collections.abc import Mapping, Sequence

from batchanator.domain.errors import TransientError
from batchanator.store.driver import Row
from batchanator.store.records import BatchId, Holder, ItemId, KeyRow, Take
from batchanator.store.store import Repositories

# Plain tuples, since millions are made: a line that may become an item (key, seq, payload hash, payload), and why a
# line did not (seq, holder's job id, holder's seq, kind). Lines sort by key, as keys must be inserted.
Line = tuple[str, int, int, bytes]
Verdict = tuple[int, int, int, str]
KeyOfLine = tuple[int, int, int, int, str]  # job id, seq, payload hash, job type id, key
Lost = tuple[Line, Holder]
Standing = Mapping[tuple[int, int], Row]


class Keyring:
    """Takes keys for one job. `ask_first` remembers whether the last portion met keys that were taken."""

    def __init__(self, job_id: int, job_type_id: int, on_duplicate: str) -> None:
        self.job_id = job_id
        self.job_type_id = job_type_id
        self.on_duplicate = on_duplicate
        self.ask_first = False

    def rows_of(self, lines: Sequence[Line]) -> list[KeyOfLine]:
        """Return what `take` inserts for lines, in their order."""
        job, kind = self.job_id, self.job_type_id
        return [(job, seq, hashed, kind, key) for key, seq, hashed, _ in lines]

    async def take(
        self, tx: Repositories, lines: Sequence[Line], rows: Sequence[KeyOfLine], *, careful: bool
    ) -> tuple[Sequence[Line], dict[str, Holder]]:
        """Take what is free and return the lines that won, and the holders of the other keys; `rows` are of all lines.

        In bulk while nothing is taken; UniqueError then means: roll back, and call again in a new transaction with
        `careful`.
        """
        if not careful:
            held: dict[str, Holder] = {}
            if self.ask_first:
                held = await tx.keys.holders(self.job_type_id, [line[0] for line in lines])
            if held:
                lines = [line for line in lines if line[0] not in held]
                rows = self.rows_of(lines)
            await tx.keys.copy(rows)
            self.ask_first = bool(held)
            return lines, held
        keys = [KeyRow(seq, hashed, key) for key, seq, hashed, _ in lines]
        seqs = await tx.keys.insert(self.job_type_id, self.job_id, keys)
        lost = [line[0] for line in lines if line[1] not in seqs]
        held = await tx.keys.holders(self.job_type_id, lost) if lost else {}
        if len(held) < len(lost):
            raise TransientError("a holder is gone meanwhile: the portion is taken again")
        self.ask_first = bool(lost)
        return [line for line in lines if line[1] in seqs], held

    async def judge(self, tx: Repositories, lost: Sequence[Lost]) -> tuple[list[Line], list[Verdict]]:
        """Return the lines that took a key over, at most one a key, and a verdict on each of the others."""
        standing = await self._standing(tx, lost)
        if not standing:  # no holder is dead or cancelled
            return [], [
                (line[1], holder[0], holder[1], "duplicate" if line[2] == holder[2] else "conflict")
                for line, holder in lost
            ]
        wanted: dict[str, Lost] = {}
        for line, holder in sorted(lost, key=lambda pair: pair[0][1]):
            if line[0] not in wanted and self._may_take(line, holder, standing):
                wanted[line[0]] = (line, holder)
        takers: dict[str, Line] = {}
        if wanted:
            takers = await self._take_over(tx, list(wanted.values()), standing)
        verdicts = []
        for line, holder in lost:
            taker = takers.get(line[0])
            if taker is None:
                verdicts.append((line[1], holder[0], holder[1], _kind(line, holder, standing)))
            elif taker is not line:
                verdicts.append(self.against(line, taker))
        return list(takers.values()), verdicts

    def against(self, line: Line, owner: Line) -> Verdict:
        """Return the verdict on a line whose key another line of this job holds."""
        return line[1], self.job_id, owner[1], "duplicate" if owner[2] == line[2] else "conflict"

    async def _take_over(
        self, tx: Repositories, wanted: Sequence[Lost], standing: dict[tuple[int, int], Row]
    ) -> dict[str, Line]:
        cancelled: dict[int, list[int]] = {}
        for _, holder in wanted:
            if _status(holder, standing) == "cancelled":
                cancelled.setdefault(holder[0], []).append(holder[1])
        for job_id, seqs in sorted(cancelled.items()):
            await tx.slices.fence_off(job_id=job_id, seqs=seqs)
        batches = {(holder[0], standing[holder[:2]]["batch"]) for _, holder in wanted}
        await tx.batches.lock([BatchId(*batch) for batch in sorted(batches)])
        seen = await tx.keys.standing([ItemId(*holder[:2]) for _, holder in wanted])
        standing.update(seen)  # the verdict, in a statement after the lock
        sure = [(line, holder) for line, holder in wanted if self._may_take(line, holder, seen)]
        takes = [Take(line[0], line[1], line[2], *holder[:2]) for line, holder in sure]
        taken = await tx.keys.take_over(self.job_type_id, self.job_id, takes) if takes else set()
        if len(taken) < len(takes):
            raise TransientError("a key has another holder meanwhile: the portion is taken again")
        return {line[0]: line for line, _ in sure}

    async def _standing(self, tx: Repositories, lost: Sequence[Lost]) -> dict[tuple[int, int], Row]:
        """Look an item up only where its job has lost any: a file that is sent again asks once a portion."""
        jobs = await tx.jobs.losses(sorted({holder[0] for _, holder in lost}))
        if not jobs:
            return {}
        return dict(await tx.keys.standing([ItemId(*holder[:2]) for _, holder in lost if holder[0] in jobs]))

    def _may_take(self, line: Line, holder: Holder, standing: Standing) -> bool:
        status = _status(holder, standing)
        if self.on_duplicate == "never" or status not in {"dead", "cancelled"}:
            return False
        return status == "cancelled" or line[2] != holder[2] or self.on_duplicate == "redrive"


def _status(holder: Holder, standing: Standing) -> str:
    row = standing.get(holder[:2])
    return "open" if row is None else str(row["status"])


def _kind(line: Line, holder: Holder, standing: Standing) -> str:
    if line[2] != holder[2]:
        return "conflict"
    return "dead_holder" if _status(holder, standing) == "dead" else "duplicate"
