"""An operator gives a worker up: its lease ends, and what it held is free at once."""

import orjson

from batchanator.domain.errors import NotFoundError
from batchanator.store.store import Repositories, Store
from batchanator.store.wakeups import Wakeups

PAGE = 500


async def release_worker(store: Store, wakeups: Wakeups, worker: str, *, actor: str) -> int:
    """End a worker's lease and return how many slices that freed, each with its lapse on record.

    A worker that lives after all finds its lease lost, stops what it runs and starts anew: its late answers are stale,
    and what lapsed is no crash of its items. NotFoundError where there is no such worker.
    """
    detail = orjson.dumps({"worker": worker}).decode()

    async def expired(tx: Repositories) -> None:
        if not await tx.workers.exists(worker=worker):
            raise NotFoundError("there is no such worker")
        await tx.workers.expire(worker=worker)
        await tx.actions.append(job_id=None, action="release", actor=actor, detail=detail)

    await store.transact(expired)
    total = 0
    while rows := await store.slices.recover(dead=[worker], limit=PAGE):
        total += sum(row["worker"] == worker for row in rows)
        if len(rows) < PAGE:
            break
    wakeups.tell("ready", "sources")
    return total
