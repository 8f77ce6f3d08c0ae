"""Redrive: fresh attempts for dead items. The locks, in order: covering slices by key, their batches, then the job.

After the locks everything is looked at again in new statements: whether an item is still dead and holds its key, and
which slices cover it. A set of slices that changed meanwhile makes the whole transaction run again.
"""

from collections.abc import Sequence
from itertools import groupby

from batchanator.domain.errors import ConflictError, TransientError
from batchanator.store.driver import Row
from batchanator.store.records import BatchId
from batchanator.store.slices import READY
from batchanator.store.store import Repositories

NOT_NOW = "the job is stopping or was pruned"


async def redrive(
    tx: Repositories, *, job_id: int, seqs: Sequence[int], granted: int, slice_size: int
) -> int:
    """Redrive those of `seqs` that are dead, not purged and hold their key; returns how many.

    Raises:
        ConflictError: the job is stopping and has not ended, or its items were pruned.
    """
    covering = await tx.slices.covering(job_id=job_id, seqs=seqs)
    numbers = await tx.batches.of_seqs(job_id=job_id, seqs=seqs)
    batches = await tx.batches.lock([BatchId(job_id, number) for number in sorted(set(numbers.values()))])
    chosen = await tx.outcomes.redrive(job_id=job_id, seqs=seqs, granted=granted)
    if not chosen:
        return 0
    by_number = {row["number"]: row for row in batches}
    locked = {row["first_seq"] for row in covering}
    new_slices: list[list[int]] = []
    closed: list[Row] = []
    for number, group in groupby(chosen, key=numbers.__getitem__):
        batch, mine = by_number[number], list(group)
        await tx.batches.reopen(job_id=job_id, number=number, dead=len(mine))
        if batch["completed_at"] is not None:
            closed.append(batch)
        new_slices += await _place(tx, job_id, batch, mine, locked, slice_size)
    job = await tx.jobs.reopen(
        job_id=job_id,
        batches=len(closed),
        slices=len(new_slices),
        **{
            name: sum(batch[name] for batch in closed)
            for name in ("succeeded", "skipped", "dead", "cancelled")
        },
    )
    if job is None:
        raise ConflictError(NOT_NOW)
    ordinal = job["slices_cut"] - len(new_slices)
    rows: list[tuple[object, ...]] = []
    for offset, members in enumerate(new_slices):
        batch = by_number[numbers[members[0]]]
        fence = 1 + await tx.slices.highest_fence(
            job_id=job_id, first_seq=batch["first_seq"], last_seq=batch["last_seq"]
        )
        rows.append(
            (
                job_id,
                members[0],
                members[-1],
                batch["number"],
                ordinal + offset,
                len(members),
                READY,
                fence,
                1,  # settles: its run is written already, only items with a row of their own are left
            )
        )
    await tx.slices.insert(rows)
    return len(chosen)


async def _place(
    tx: Repositories, job_id: int, batch: Row, seqs: Sequence[int], locked: set[int], slice_size: int
) -> list[list[int]]:
    """Let the slices that cover items carry them; return the rest, cut so that no new slice meets another."""
    there = await tx.slices.in_batches(
        job_id=job_id, first_seq=batch["first_seq"], last_seq=batch["last_seq"]
    )
    free: list[list[int]] = []
    gap = None
    for seq in seqs:
        cover = next((row for row in there if row["first_seq"] <= seq <= row["last_seq"]), None)
        if cover is not None:
            if cover["first_seq"] not in locked:
                raise TransientError("a slice came meanwhile: the redrive is run again")
            await tx.slices.carry(job_id=job_id, first_seq=cover["first_seq"], count=1)
            continue
        here = sum(row["first_seq"] < seq for row in there)  # which gap between slices it lies in
        if free and gap == here and len(free[-1]) < slice_size:
            free[-1].append(seq)
        else:
            free.append([seq])
            gap = here
    return free
