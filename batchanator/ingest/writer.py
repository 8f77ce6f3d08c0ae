"""Writes portions (some chunks of a source) exactly once: keys, items, batches, slices, verdicts and the checkpoint.

One transaction a portion. Locks in order: keys sorted by key, batches of old holders by key, the job's own row last.
Kill it anywhere: the next holder of the ingestion goes on at the checkpoint.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from batchanator.domain.errors import LeaseLostError, TransientError, UniqueError
from batchanator.ingest.chunk import Chunk
from batchanator.ingest.keyring import Keyring, Line, Verdict
from batchanator.ingest.ranges import SliceCut, cut_slices, runs_of
from batchanator.store.probes import probe
from batchanator.store.records import Checkpoint, Holder
from batchanator.store.slices import HELD, READY
from batchanator.store.store import Repositories, Store


@dataclass(frozen=True, slots=True)
class JobToFill:
    """What a writer must know of its job."""

    job_id: int
    job_type_id: int
    slice_size: int
    strict: bool
    on_duplicate: str


@dataclass(slots=True)
class Counts:
    lines: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0

    def add(self, other: "Counts") -> None:
        self.lines += other.lines
        self.accepted += other.accepted
        self.duplicates += other.duplicates
        self.rejected += other.rejected


class Writer:
    """Writes one job's portions in order. `checkpoint` is where the next one starts."""

    def __init__(self, store: Store, job: JobToFill, checkpoint: Checkpoint) -> None:
        self._store = store
        self._job = job
        self._keyring = Keyring(job.job_id, job.job_type_id, job.on_duplicate)
        self.checkpoint = checkpoint
        self.counts = Counts()

    async def write(self, chunks: Sequence[Chunk], *, position: int) -> None:
        """Commit a portion; `position` is how much of the raw source is read (for progress).

        Raises:
            LeaseLostError: another ingester has the job now, or it is stopping; nothing was written.
        """

        async def careful(tx: Repositories) -> Counts:
            return await self.write_in(tx, chunks, position=position, careful=True)

        try:
            async with self._store.transaction() as tx:
                counts = await self.write_in(tx, chunks, position=position)
                await probe("ingest.before_commit")
        except (UniqueError, TransientError):  # a key was taken: once more, one by one
            counts = await self._store.transact(careful)
        await probe("ingest.after_commit")
        self.advance(chunks, counts)

    def advance(self, chunks: Sequence[Chunk], counts: Counts) -> None:
        last = chunks[-1]
        line = last.first_line + last.physical - 1
        self.checkpoint = self.checkpoint._replace(byte_offset=last.end, line=line, chain=last.chain)
        self.counts.add(counts)

    async def write_in(
        self,
        tx: Repositories,
        chunks: Sequence[Chunk],
        *,
        position: int,
        careful: bool = False,
        row_ids: Sequence[int] | None = None,
    ) -> Counts:
        """Write a portion in the caller's transaction; `row_ids` name the staging row of each line, by seq - first."""
        await probe("ingest.begin")
        lines: list[Line] = []
        for chunk in chunks:
            lines += zip(chunk.keys, chunk.seqs, chunk.hashes, chunk.payloads, strict=True)
        lines.sort()
        firsts, again = _firsts(lines) if len(chunks) > 1 else (lines, [])
        won, held = await self._keyring.take(tx, firsts, careful=careful) if firsts else ([], {})
        await probe("ingest.keys")
        owned, verdicts = await self._judge(tx, chunks, firsts, again, won, held)
        first_line, job_id = chunks[0].first_line, self._job.job_id
        owned.sort(key=_seq)
        rows: list[tuple[object, ...]]
        if row_ids is None:
            rows = [(job_id, seq, key, payload.decode(), None) for key, seq, _, payload in owned]
        else:
            rows = [
                (job_id, seq, key, payload.decode(), row_ids[seq - first_line])
                for key, seq, _, payload in owned
            ]
        await tx.items.insert(rows)
        await probe("ingest.items")
        counts = Counts(
            sum(chunk.lines for chunk in chunks),
            len(owned),
            len(verdicts),
            sum(len(chunk.rejects) for chunk in chunks),
        )
        await self._finish(tx, chunks, owned, verdicts, counts, position)
        return counts

    async def _judge(
        self,
        tx: Repositories,
        chunks: Sequence[Chunk],
        firsts: Sequence[Line],
        again: Sequence[Line],
        won: Sequence[Line],
        held: dict[str, Holder],
    ) -> tuple[list[Line], list[Verdict]]:
        """Return the lines that became items, and a verdict on each that did not.

        A key that comes again inside the portion is held against its first line where that is an item now.
        """
        owned = list(won)
        repeats: list[Line] = [
            (chunk.keys[index], line, hashed, payload)
            for chunk in chunks
            for line, index, hashed, payload in chunk.repeats
        ]
        repeats += again
        mine = {line[0]: line for line in owned} if repeats else {}
        verdicts = [self._keyring.against(line, mine[line[0]]) for line in repeats if line[0] in mine]
        lost = []
        if held:
            lost = [(line, held[line[0]]) for line in firsts if line[0] in held]
            lost += [(line, held[line[0]]) for line in repeats if line[0] not in mine]
        if lost:
            taken, more = await self._keyring.judge(tx, lost)
            verdicts += more
            owned += taken
        return owned, verdicts

    async def _finish(
        self,
        tx: Repositories,
        chunks: Sequence[Chunk],
        owned: Sequence[Line],
        verdicts: Sequence[Verdict],
        counts: Counts,
        position: int,
    ) -> None:
        job = self._job
        batches, cuts = _cut(chunks, owned, job.slice_size)
        last = chunks[-1]
        row = await tx.jobs.checkpoint(
            job_id=job.job_id,
            start=self.checkpoint,
            end=last.end,
            physical=sum(chunk.physical for chunk in chunks),
            chain=last.chain,
            source_position=position,
            lines=counts.lines,
            accepted=counts.accepted,
            duplicates=counts.duplicates,
            rejected=counts.rejected,
            batches=len(batches),
            slices=sum(len(cut) for cut in cuts),
        )
        if row is None:
            raise LeaseLostError("another worker reads this source now, or the job is stopping")
        number = row["batches"] - len(batches)
        ordinal = row["slices_cut"] - sum(len(cut) for cut in cuts)
        state = HELD if job.strict else READY
        batch_rows: list[tuple[object, ...]] = []
        slice_rows: list[tuple[object, ...]] = []
        for seqs, cut in zip(batches, cuts, strict=True):
            number += 1
            batch_rows.append((job.job_id, number, seqs[0], seqs[-1], len(seqs)))
            for piece in cut:
                slice_rows.append(
                    (job.job_id, piece.first_seq, piece.last_seq, number, ordinal, piece.items, state, 0, 0)
                )
                ordinal += 1
        await tx.batches.insert(batch_rows)
        await tx.slices.insert(slice_rows)
        runs = runs_of(sorted(verdicts))
        await tx.lines.insert_duplicates([(job.job_id, *run) for run in runs])
        await tx.lines.insert_rejects(
            [
                (
                    job.job_id,
                    reject.line,
                    reject.byte_offset,
                    str(reject.code),
                    reject.pointer,
                    reject.message,
                    reject.raw,
                    reject.raw_cut,
                )
                for chunk in chunks
                for reject in chunk.rejects
            ]
        )
        await probe("ingest.finish")


def _seq(line: Line) -> int:
    return line[1]


def _firsts(lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """Part sorted lines of several chunks: the first of each key, and those that come again."""
    firsts: list[Line] = []
    again: list[Line] = []
    last = None
    for line in lines:
        if line[0] == last:
            again.append(line)
        else:
            firsts.append(line)
            last = line[0]
    return firsts, again


def _cut(
    chunks: Sequence[Chunk], owned: Sequence[Line], slice_size: int
) -> tuple[list[list[int]], list[list[SliceCut]]]:
    """Return the seqs of each batch (a chunk with items), and its slices."""
    sizes = {seq: len(payload) for _, seq, _, payload in owned}
    batches, cuts = [], []
    for chunk in chunks:
        if not sizes:
            break
        candidates = (
            sorted([*chunk.seqs, *(repeat[0] for repeat in chunk.repeats)]) if chunk.repeats else chunk.seqs
        )
        seqs = [seq for seq in candidates if seq in sizes]
        if seqs:
            batches.append(seqs)
            cuts.append(cut_slices(seqs, [sizes[seq] for seq in seqs], slice_size))
    return batches, cuts
