"""Maintenance by cron: jobs that nobody ingests are ended, dead letters get another attempt."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import groupby

import orjson
import structlog

from batchanator.domain.errors import ConflictError
from batchanator.store.redriving import redrive
from batchanator.store.store import Repositories, Store
from batchanator.store.wakeups import Wakeups

STALE_AGE = timedelta(hours=24)
STALE_REASON = "nobody has read its source for 24 hours"
STALE_CODE = "stale"
RETRY_AGE = timedelta(hours=1)
RETRY_LIMIT = 100
RETRY_BELOW = 10
TOO_YOUNG = "nothing was looked at: this process is too young to know who lives"
_log = structlog.get_logger("batchanator.schedule")


class StaleJobCleanup:
    """Ends, as failed, jobs that are not sealed and that nobody has had a lease to ingest for 24 hours.

    `old_enough()`: after an outage the living must have had the time to come back before anyone is judged.
    """

    def __init__(self, store: Store, wakeups: Wakeups, *, old_enough: Callable[[], bool]) -> None:
        self._store = store
        self._wakeups = wakeups
        self._old_enough = old_enough

    async def run(self) -> str:
        if not self._old_enough():
            return TOO_YOUNG
        ended = []
        for row in await self._store.jobs.stale(age=STALE_AGE):
            if await self._store.transact(partial(_end, row["id"], row["ingest_fence"])):
                _log.warning("job.stale", job=row["id"])
                ended.append(row["id"])
        if ended:
            self._wakeups.tell("stopped")
        return f"ended {', '.join(f'job {one}' for one in ended)}" if ended else "nothing was stale"


async def _end(job_id: int, ingest_fence: int, tx: Repositories) -> bool:
    """Stop a job whose ingestion nobody has taken since it was found stale: the fence tells."""
    stopped = await tx.jobs.stop(
        job_id=job_id,
        stopping="failed",
        reason=STALE_REASON,
        reason_code=STALE_CODE,
        ingest_fence=ingest_fence,
    )
    if stopped is None:
        return False
    detail = orjson.dumps({"cancelled": stopped}).decode()
    await tx.actions.append(job_id=job_id, action="stale", actor="cron StaleJobCleanup", detail=detail)
    return True


class DeadLetterRetry:
    """Gives dead letters that ran out of attempts one more: at most 100 a run, an hour after the last, up to 10 in all.

    What failed for good, crashed, was purged, lost its key or belongs to a stopped or paused job is left alone.
    """

    def __init__(self, store: Store, wakeups: Wakeups) -> None:
        self._store = store
        self._wakeups = wakeups

    async def run(self) -> str:
        found = await self._store.outcomes.retryable(age=RETRY_AGE, below=RETRY_BELOW, limit=RETRY_LIMIT)
        retried = 0
        for job_id, group in groupby(found, key=lambda item: item.job_id):
            try:
                retried += await self._store.transact(partial(_retry, job_id, [item.seq for item in group]))
            except ConflictError:  # it was stopped or pruned meanwhile
                continue
        if retried:
            self._wakeups.tell("ready", "due")
        return f"{retried} dead {'letter' if retried == 1 else 'letters'} got another attempt"


async def _retry(job_id: int, seqs: list[int], tx: Repositories) -> int:
    job = await tx.jobs.get(job_id)
    assert job is not None
    kinds = await tx.job_types.list()
    kind = next(kind for kind in kinds if kind["id"] == job["job_type_id"])
    slice_size = orjson.loads(job["options"]).get("slice_size") or kind["slice_size"]
    count = await redrive(tx, job_id=job_id, seqs=seqs, granted=1, slice_size=slice_size)
    if count:
        detail = orjson.dumps({"items": count}).decode()
        await tx.actions.append(job_id=job_id, action="replay", actor="cron DeadLetterRetry", detail=detail)
    return count
