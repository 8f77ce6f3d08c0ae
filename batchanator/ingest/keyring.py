"""Who gets the keys of a portion: free keys are taken, those of dead or cancelled holders may be taken over.

A key is held by one item. A line whose key is held by an item that succeeded, was skipped or may still run is a
duplicate (with another payload: a conflict). If the holder was cancelled, the line takes the key over and runs. If the
holder is dead or purged, the same payload is a duplicate of a dead holder; another payload takes the key over.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from batchanator.domain.errors import TransientError
from batchanator.store.driver import Row
from batchanator.store.records import BatchId, Holder, ItemId, KeyRow, Take
from batchanator.store.store import Repositories


class Line(NamedTuple):
    """A line that may become an item; ordered by key first, since keys must be inserted sorted."""

    key: str
    seq: int
    payload_hash: int
    payload: bytes


class Verdict(NamedTuple):
    """Why a line did not become an item."""

    seq: int
    holder_job_id: int
    holder_seq: int
    kind: str


class Keyring:
    """Takes keys for one job. `ask_first` remembers whether the last portion met keys that were taken."""

    def __init__(self, job_id: int, job_type_id: int, on_duplicate: str) -> None:
        self.job_id = job_id
        self.job_type_id = job_type_id
        self.on_duplicate = on_duplicate
        self.ask_first = False

    async def take(
        self, tx: Repositories, lines: Sequence[Line], *, careful: bool
    ) -> tuple[set[int], dict[str, Holder]]:
        """Take what is free and return the seqs that won, and the holders of the other keys.

        In bulk while nothing is taken; UniqueError then means: roll back, and call again in a new transaction with
        `careful`.
        """
        keys = [KeyRow(line.seq, line.payload_hash, line.key) for line in lines]
        if careful:
            won = await tx.keys.insert(self.job_type_id, self.job_id, keys)
        else:
            held: dict[str, Holder] = {}
            if self.ask_first:
                held = await tx.keys.holders(self.job_type_id, [line.key for line in lines])
                keys = [key for key in keys if key.key not in held]
            await tx.keys.copy(self.job_type_id, self.job_id, keys)
            self.ask_first = bool(held)
            return {key.seq for key in keys}, held
        lost = [line.key for line in lines if line.seq not in won]
        held = await tx.keys.holders(self.job_type_id, lost) if lost else {}
        if len(held) < len(lost):
            raise TransientError("a holder is gone meanwhile: the portion is taken again")
        self.ask_first = bool(lost)
        return won, held

    async def judge(
        self, tx: Repositories, lost: Sequence[tuple[Line, Holder]]
    ) -> tuple[set[int], list[Verdict]]:
        """Return the seqs that took a key over, at most one a key, and a verdict on each of the other lines."""
        standing = await self._standing(tx, [holder for _, holder in lost])
        wanted: dict[str, tuple[Line, Holder]] = {}
        for line, holder in sorted(lost, key=lambda pair: pair[0].seq):
            if line.key not in wanted and self._may_take(line, holder, standing):
                wanted[line.key] = (line, holder)
        takers: dict[str, Line] = {}
        if wanted:
            takers = await self._take_over(tx, list(wanted.values()), standing)
        verdicts = []
        for line, holder in lost:
            taker = takers.get(line.key)
            if taker is None:
                kind = _kind(line, holder, standing)
                verdicts.append(Verdict(line.seq, holder.job_id, holder.seq, kind))
            elif taker.seq != line.seq:
                verdicts.append(self.against(line, taker))
        return {line.seq for line in takers.values()}, verdicts

    def against(self, line: Line, owner: Line) -> Verdict:
        """Return the verdict on a line whose key another line of this job holds."""
        kind = "duplicate" if owner.payload_hash == line.payload_hash else "conflict"
        return Verdict(line.seq, self.job_id, owner.seq, kind)

    async def _take_over(
        self,
        tx: Repositories,
        wanted: Sequence[tuple[Line, Holder]],
        standing: dict[tuple[int, int], Row],
    ) -> dict[str, Line]:
        batches = {(holder.job_id, standing[holder.job_id, holder.seq]["batch"]) for _, holder in wanted}
        await tx.batches.lock([BatchId(*batch) for batch in sorted(batches)])
        seen = await tx.keys.standing([ItemId(holder.job_id, holder.seq) for _, holder in wanted])
        standing.update(seen)  # the verdict, in a statement after the lock
        sure = [(line, holder) for line, holder in wanted if self._may_take(line, holder, seen)]
        takes = [
            Take(line.key, line.seq, line.payload_hash, holder.job_id, holder.seq) for line, holder in sure
        ]
        taken = await tx.keys.take_over(self.job_type_id, self.job_id, takes) if takes else set()
        if len(taken) < len(takes):
            raise TransientError("a key has another holder meanwhile: the portion is taken again")
        return {line.key: line for line, _ in sure}

    async def _standing(self, tx: Repositories, holders: Sequence[Holder]) -> dict[tuple[int, int], Row]:
        """Look an item up only where its job has lost any: a file that is sent again asks once a portion."""
        jobs = await tx.jobs.losses(sorted({holder.job_id for holder in holders}))
        items = [ItemId(holder.job_id, holder.seq) for holder in holders if holder.job_id in jobs]
        return dict(await tx.keys.standing(items)) if items else {}

    def _may_take(self, line: Line, holder: Holder, standing: Mapping[tuple[int, int], Row]) -> bool:
        status = _status(holder, standing)
        if self.on_duplicate == "never" or status not in {"dead", "cancelled"}:
            return False
        return (
            status == "cancelled"
            or line.payload_hash != holder.payload_hash
            or self.on_duplicate == "redrive"
        )


def _status(holder: Holder, standing: Mapping[tuple[int, int], Row]) -> str:
    row = standing.get((holder.job_id, holder.seq))
    return "open" if row is None else str(row["status"])


def _kind(line: Line, holder: Holder, standing: Mapping[tuple[int, int], Row]) -> str:
    if line.payload_hash != holder.payload_hash:
        return "conflict"
    return "dead_holder" if _status(holder, standing) == "dead" else "duplicate"
