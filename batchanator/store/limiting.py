"""What an operator sets of a job or a job type while it runs. Each change is on record and reaches every worker."""

import math
from collections.abc import Mapping

import orjson

from batchanator.domain.errors import ConflictError, NotFoundError
from batchanator.store.driver import Row
from batchanator.store.store import Repositories, Store
from batchanator.store.wakeups import Wakeups


async def limit_job(
    store: Store, wakeups: Wakeups, job_id: int, changes: Mapping[str, int | float | None], *, actor: str
) -> Row:
    """Set `priority`, `max_concurrency` (slices leased at a time), `rate` (starts a second), those that are named.

    None lifts a limit. Workers give back what they hold and have not started, and claim it anew on the new terms,
    within a second. Returns the row as it is then. NotFoundError; ConflictError where the job has ended;
    ValueError for a cap below 1 or a rate that is not above 0.
    """
    _check(changes)

    async def work(tx: Repositories) -> Row:
        row = await tx.jobs.set_limits(job_id, changes)
        if row is None:
            if await tx.jobs.get(job_id) is not None:
                raise ConflictError(f"job {job_id} has ended")
            raise NotFoundError(f"there is no job {job_id}")
        detail = orjson.dumps(dict(changes)).decode()
        await tx.actions.append(job_id=job_id, action="limit", actor=actor, detail=detail)
        return row

    row = await store.transact(work)
    wakeups.tell("changed", "ready")
    return row


async def limit_job_type(
    store: Store,
    wakeups: Wakeups,
    name: str,
    changes: Mapping[str, bool | int | float | None],
    *,
    actor: str,
) -> Row:
    """Set `paused`, `max_concurrency`, `rate` of a job type, those that are named; else like `limit_job`."""
    _check(changes)

    async def work(tx: Repositories) -> Row:
        row = await tx.job_types.set_limits(name, changes)
        if row is None:
            raise NotFoundError(f"there is no job type {name!r}")
        detail = orjson.dumps({"jobType": name, **changes}).decode()
        await tx.actions.append(job_id=None, action="limit", actor=actor, detail=detail)
        return row

    row = await store.transact(work)
    wakeups.tell("changed", "ready")
    return row


def _check(changes: Mapping[str, int | float | None]) -> None:
    cap, rate = changes.get("max_concurrency"), changes.get("rate")
    if cap is not None and cap < 1:
        raise ValueError("max_concurrency is below 1")
    if rate is not None and not 0 < rate < math.inf:
        raise ValueError("rate is not above 0")
