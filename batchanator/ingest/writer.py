"""Writes portions (some chunks of a source) exactly once: keys, items, batches, slices, verdicts and the checkpoint.

One transaction a portion. Locks in order: keys sorted by key, batches of old holders by key, the job's own row last.
Kill it anywhere: the next holder of the ingestion goes on at the checkpoint.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from batchanator.domain.errors import LeaseLostError, TransientError, UniqueError
from batchanator.domain.observing import NOBODY, Observer
from batchanator.ingest.chunk import Chunk
from batchanator.ingest.keyring import Keyring, Line, Verdict
from batchanator.ingest.portion import Portion, portion_of
from batchanator.ingest.ranges import SliceCut, runs_of
from batchanator.store.driver import Row
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

    def __init__(
        self, store: Store, job: JobToFill, checkpoint: Checkpoint, observer: Observer = NOBODY
    ) -> None:
        self._store = store
        self._observer = observer
        self._job = job
        self._keyring = Keyring(job.job_id, job.job_type_id, job.on_duplicate)
        self.checkpoint = checkpoint
        self.counts = Counts()

    def prepare(self, chunks: Sequence[Chunk], row_ids: Sequence[int] | None = None) -> Portion:
        """Return a portion of this job, without a look at the database: for another thread, too."""
        return portion_of(self._keyring, self._job.slice_size, chunks, row_ids)

    async def write(self, portion: Portion, *, position: int) -> None:
        """Commit a portion; `position` is how much of the raw source is read (for progress).

        Raises:
            LeaseLostError: another ingester has the job now, or it is stopping; nothing was written.
        """

        async def careful(tx: Repositories) -> Counts:
            return await self.write_in(tx, portion, position=position, careful=True)

        try:
            async with self._store.transaction() as tx:
                counts = await self.write_in(tx, portion, position=position)
                await probe("ingest.before_commit")
        except (UniqueError, TransientError):  # a key was taken: once more, one by one
            counts = await self._store.transact(careful)
        await probe("ingest.after_commit")
        self.advance(portion.chunks, counts)

    def advance(self, chunks: Sequence[Chunk], counts: Counts) -> None:
        """Go on behind chunks that are committed, or will be with what follows."""
        last = chunks[-1]
        line = last.first_line + last.physical - 1
        self.checkpoint = self.checkpoint._replace(byte_offset=last.end, line=line, chain=last.chain)
        self.counts.add(counts)
        self._observer.ingested(counts.accepted, counts.duplicates, counts.rejected)

    async def write_in(
        self, tx: Repositories, portion: Portion, *, position: int, careful: bool = False
    ) -> Counts:
        """Write a portion in the caller's transaction."""
        await probe("ingest.begin")
        chunks, firsts = portion.chunks, portion.firsts
        won: Sequence[Line] = []
        held: dict[str, Holder] = {}
        if firsts:
            won, held = await self._keyring.take(tx, firsts, portion.key_rows, careful=careful)
        await probe("ingest.keys")
        owned, verdicts = await self._judge(tx, portion, won, held)
        rows, batches, cuts = portion.rows, portion.batches, portion.cuts
        if verdicts:
            owned.sort(key=_seq)
            rows = portion.rows_of(owned)
            batches, cuts = portion.cut(owned)
        await (tx.items.insert(rows) if portion.row_ids is None else tx.items.insert_staged(rows))
        await probe("ingest.items")
        counts = Counts(
            sum(chunk.lines for chunk in chunks),
            len(owned),
            len(verdicts),
            sum(len(chunk.rejects) for chunk in chunks),
        )
        checkpoint = await self._advance_row(tx, chunks, counts, position, batches, cuts)
        await self._cut(tx, checkpoint, batches, cuts)
        await self._refuse(tx, chunks, verdicts)
        await probe("ingest.finish")
        return counts

    async def _judge(
        self, tx: Repositories, portion: Portion, won: Sequence[Line], held: dict[str, Holder]
    ) -> tuple[list[Line], list[Verdict]]:
        """Return the lines that became items, and a verdict on each that did not.

        A key that comes again inside the portion is held against its first line where that is an item now.
        """
        owned = list(won)
        repeats: list[Line] = [
            (chunk.keys[index], line, hashed, payload)
            for chunk in portion.chunks
            for line, index, hashed, payload in chunk.repeats
        ]
        repeats += portion.again
        mine = {line[0]: line for line in owned} if repeats else {}
        verdicts = [self._keyring.against(line, mine[line[0]]) for line in repeats if line[0] in mine]
        lost = []
        if held:
            lost = [(line, held[line[0]]) for line in portion.firsts if line[0] in held]
            lost += [(line, held[line[0]]) for line in repeats if line[0] not in mine]
        if lost:
            taken, more = await self._keyring.judge(tx, lost)
            verdicts += more
            owned += taken
        return owned, verdicts

    async def _advance_row(
        self,
        tx: Repositories,
        chunks: Sequence[Chunk],
        counts: Counts,
        position: int,
        batches: Sequence[Sequence[int]],
        cuts: Sequence[Sequence[SliceCut]],
    ) -> Row:
        """Move the checkpoint, guarded by the ingest fence and where it stood."""
        last = chunks[-1]
        row = await tx.jobs.checkpoint(
            job_id=self._job.job_id,
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
            slices=sum(map(len, cuts)),
        )
        if row is None:
            raise LeaseLostError("another worker reads this source now, or the job is stopping")
        return row

    async def _cut(
        self,
        tx: Repositories,
        checkpoint: Row,
        batches: Sequence[Sequence[int]],
        cuts: Sequence[Sequence[SliceCut]],
    ) -> None:
        """Insert batches and slices, numbered back from where the checkpoint is now."""
        job_id = self._job.job_id
        number = checkpoint["batches"] - len(batches)
        ordinal = checkpoint["slices_cut"] - sum(map(len, cuts))
        state = HELD if self._job.strict else READY
        batch_rows: list[tuple[object, ...]] = []
        slice_rows: list[tuple[object, ...]] = []
        for seqs, cut in zip(batches, cuts, strict=True):
            number += 1
            batch_rows.append((job_id, number, seqs[0], seqs[-1], len(seqs)))
            for piece in cut:
                slice_rows.append(
                    (job_id, piece.first_seq, piece.last_seq, number, ordinal, piece.items, state, 0, 0)
                )
                ordinal += 1
        await tx.batches.insert(batch_rows)
        await tx.slices.insert(slice_rows)

    async def _refuse(self, tx: Repositories, chunks: Sequence[Chunk], verdicts: Sequence[Verdict]) -> None:
        """List the lines that did not become items."""
        job_id = self._job.job_id
        await tx.lines.insert_duplicates([(job_id, *run) for run in runs_of(sorted(verdicts))])
        await tx.lines.insert_rejects(
            [
                (
                    job_id,
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


def _seq(line: Line) -> int:
    return line[1]
