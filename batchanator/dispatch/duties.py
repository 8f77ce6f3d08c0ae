"""Standing duties of every worker: recover what lapsed, bury what crashes, promote what is due, sweep what is stopping.

Each is a guarded statement that finds its own work, so that no crash strands a slice and any worker may do it.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from itertools import groupby

import structlog

from batchanator.domain.observing import NOBODY, Observer
from batchanator.store.driver import Row
from batchanator.store.probes import probe
from batchanator.store.records import Crashed, ItemOutcome, Settled, SliceOutcome
from batchanator.store.slices import READY
from batchanator.store.store import Repositories, Store

PAGE = 500
SWEEP_PAGE = 200
WORKER_AGE = timedelta(days=1)
_NOW = timedelta(0)
Buried = tuple[Crashed, Settled]
_log = structlog.get_logger("batchanator.dispatch")


class Duties:
    def __init__(self, store: Store, *, max_crashes: int, observer: Observer = NOBODY) -> None:
        self._store = store
        self._observer = observer
        self._max_crashes = max_crashes

    async def recover(self, dead: Sequence[str] = (), *, bury: bool = False) -> int:
        """Free the slices of workers whose lease ran out, and of those known to be dead; each lapse is on record.

        With `bury`, items that crashed too often are made dead in the same transaction: else a claim in between lets
        them take one more worker along.
        """
        await probe("recover.before")
        freed = 0
        while True:
            rows, buried = await self._store.transact(partial(self._free, dead, bury))
            for row in rows:
                _log.warning(
                    "slice.lapsed",
                    job=row["job_id"],
                    slice=row["first_seq"],
                    fence=row["fence"],
                    worker=row["worker"],
                )
            self._observer.lapsed(len(rows))
            self._tell_buried(buried)
            freed += len(rows)
            if len(rows) < PAGE:
                return freed

    async def _free(
        self, dead: Sequence[str], bury: bool, tx: Repositories
    ) -> tuple[list[Row], list[Buried]]:
        rows = await tx.slices.recover(dead=dead, limit=PAGE)
        named = bury and any(row["running_seq"] is not None for row in rows)
        return rows, await self._bury(tx) if named else []

    async def bury(self) -> int:
        """Make items dead that were named by `max_crashes` crashes and that no recovery has buried."""
        buried = await self._bury(self._store)
        self._tell_buried(buried)
        return len(buried)

    async def _bury(self, store: Repositories) -> list[Buried]:
        """Make items dead that were named by `max_crashes` crashes; their neighbours go on."""
        buried: list[Buried] = []
        for item in await store.slices.crashed(max_crashes=self._max_crashes):
            settled = await store.slices.settle(
                worker=None, slices=[_burial(item)], items=[_dead_of_crashes(item)]
            )
            buried += [(item, one) for one in settled]
        return buried

    def _tell_buried(self, buried: Sequence[Buried]) -> None:
        self._observer.crashed(len(buried))
        for item, settled in buried:
            _log.error("item.crashed", job=item.job_id, seq=item.seq, crashes=item.crashes)
            self._tell(item.job_id, ended=settled.job_ended)

    async def promote(self) -> int:
        """Make due retries ready, and held slices of sealed strict jobs."""
        promoted = 0
        while True:
            page = await self._store.slices.promote(limit=PAGE)
            promoted += page
            if page < PAGE:
                break
        while True:
            page = await self._store.slices.unhold(limit=PAGE)
            promoted += page
            if page < PAGE:
                return promoted

    async def sweep(self) -> int:
        """Settle free slices of stopping jobs as cancelled, in bounded steps, until none is left."""
        swept = 0
        while True:
            await probe("sweep.before")
            rows = await self._store.slices.cancellable(limit=SWEEP_PAGE)
            if not rows:
                return swept
            slices, items = [], []
            for key, group in groupby(rows, key=lambda row: (row["job_id"], row["first_seq"])):
                members = list(group)
                first = members[0]
                retrying = [row for row in members if row["seq"] is not None]
                plain = first["open"] - len(retrying) if first["settles"] == 0 else 0
                slices.append(_slice(*key, first["fence"], first["state"], plain, closing=True))
                items += [_cancelled(row) for row in retrying]
            settled = await self._store.slices.settle(worker=None, slices=slices, items=items)
            for job_id in {one.job_id for one in settled if one.job_ended}:
                self._tell(job_id, ended=True)
            self._observer.cancelled(len(settled))
            swept += len(settled)
            if not settled:
                return swept

    async def prune_workers(self) -> None:
        await self._store.workers.prune(age=WORKER_AGE)

    def _tell(self, job_id: int, *, ended: bool) -> None:
        if ended:
            _log.info("job.ended", job=job_id)


def _slice(job_id: int, first_seq: int, fence: int, state: int, plain: int, *, closing: bool) -> SliceOutcome:
    status = "cancelled" if plain else None
    return SliceOutcome(job_id, first_seq, fence, state, closing, plain, status, _NOW, _NOW, None, None, None)


def _burial(item: Crashed) -> SliceOutcome:
    return _slice(item.job_id, item.first_seq, item.fence, READY, 0, closing=False)


def _dead_of_crashes(item: Crashed) -> ItemOutcome:
    error = f"the worker died {item.crashes} times while this item ran"
    return ItemOutcome(
        item.job_id,
        item.first_seq,
        item.seq,
        "dead",
        "crashed",
        item.attempts,
        item.max_attempts,
        False,
        None,
        None,
        _NOW,
        "crashed",
        error,
        None,
        None,
    )


def _cancelled(row: Row) -> ItemOutcome:
    return ItemOutcome(
        row["job_id"],
        row["first_seq"],
        row["seq"],
        "cancelled",
        None,
        row["attempts"],
        row["max_attempts"],
        False,
        None,
        None,
        _NOW,
        row["error_code"],
        row["error"],
        None,
        None,
    )
