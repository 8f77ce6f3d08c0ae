"""What an operator does to a job: cancel, pause, resume, replay and purge its dead letters. Each is on record."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import orjson

from batchanator.domain.errors import ConflictError, NotFoundError
from batchanator.store.driver import Row
from batchanator.store.limiting import limit_job, limit_job_type
from batchanator.store.probes import probe
from batchanator.store.redriving import NOT_NOW, redrive
from batchanator.store.releasing import release_worker
from batchanator.store.store import Repositories, Store
from batchanator.store.wakeups import Wakeups

PAGE = 500


class Replayed(NamedTuple):
    """What a replay did: dead letters that run again, and those left out.

    `replaced`: another item holds the key now (`replacedBy`), and runs in its place. `purged`: there is no payload.
    """

    replayed: int
    replaced: int
    purged: int


class _Tally(NamedTuple):
    changed: int
    left_out: int = 0


class Operations:
    """`actor` is who asked, for the record. All raise NotFoundError where there is no such job."""

    def __init__(self, store: Store, wakeups: Wakeups) -> None:
        self._store = store
        self._wakeups = wakeups

    async def cancel(self, job_id: int, *, actor: str) -> int:
        """Stop a job: no claim begins after this; returns how many open items were free and so will not run.

        Leased slices end by their settle, with their true outcomes. ConflictError where the job has ended or stops.
        """

        async def work(tx: Repositories) -> int:
            stopped = await tx.jobs.stop(
                job_id=job_id, stopping="cancelled", reason=f"cancelled by {actor}", reason_code="cancelled"
            )
            if stopped is None:
                await self._explain(tx, job_id, "has ended or is stopping already")
                raise AssertionError
            await self._record(tx, job_id, "cancel", actor, cancelled=stopped)
            return stopped

        cancelled = await self._store.transact(work)
        await probe("cancel.committed")
        self._wakeups.tell("stopped", "changed")
        return cancelled

    async def pause(self, job_id: int, *, actor: str) -> None:
        """Let no claim begin; a paused job may still end. Pausing twice changes nothing."""

        async def work(tx: Repositories) -> None:
            if await tx.jobs.pause(job_id=job_id):
                await self._record(tx, job_id, "pause", actor)
            else:
                await self._check_live(tx, job_id)

        await self._store.transact(work)
        self._wakeups.tell("changed")

    async def resume(self, job_id: int, *, actor: str) -> None:
        """Go on, at the head of the queue as it is now. Resuming what is not paused changes nothing."""

        async def work(tx: Repositories) -> None:
            if await tx.jobs.resume(job_id=job_id):
                await self._record(tx, job_id, "resume", actor)
            else:
                await self._check_live(tx, job_id)

        await self._store.transact(work)
        self._wakeups.tell("ready")

    async def replay(self, job_id: int, *, actor: str) -> Replayed:
        """Give every dead letter of a job fresh attempts; batch and job reopen, the job's next round begins.

        Items whose key another item holds now, and purged ones, are left out. ConflictError while the job is stopping.
        """
        job = await self._job(job_id)
        if job["stopping"] is not None and job["ended_at"] is None:
            raise ConflictError(NOT_NOW)
        kinds = await self._store.job_types.list()
        kind = next(kind for kind in kinds if kind["id"] == job["job_type_id"])

        async def redriven(tx: Repositories, seqs: list[int]) -> _Tally:
            count = await redrive(
                tx,
                job_id=job_id,
                seqs=seqs,
                granted=kind["max_attempts"],
                slice_size=orjson.loads(job["options"]).get("slice_size") or kind["slice_size"],
            )
            if count == len(seqs):
                return _Tally(count)
            return _Tally(count, await tx.outcomes.dead_among(job_id=job_id, seqs=seqs))

        done = await self._by_page(job_id, redriven, "replay", actor)
        self._wakeups.tell("ready", "due")
        return Replayed(done.changed, done.left_out, await self._store.outcomes.purged(job_id=job_id))

    async def purge(self, job_id: int, *, actor: str) -> int:
        """Empty the payloads of a job's dead letters: rows, keys and counts stay, and they cannot be redriven."""
        await self._job(job_id)

        async def purged(tx: Repositories, seqs: list[int]) -> _Tally:
            gone = await tx.outcomes.purge(job_id=job_id, seqs=seqs)
            await tx.items.empty(job_id=job_id, seqs=gone)
            return _Tally(len(gone))

        return (await self._by_page(job_id, purged, "purge", actor)).changed

    async def limit_job(self, job_id: int, changes: Mapping[str, int | float | None], *, actor: str) -> None:
        """Change priority, max_concurrency or rate of a live job, those that are named; None lifts a limit."""
        await limit_job(self._store, self._wakeups, job_id, changes, actor=actor)

    async def limit_job_type(
        self, name: str, changes: Mapping[str, bool | int | float | None], *, actor: str
    ) -> None:
        """Change paused, max_concurrency or rate of a job type, those that are named; None lifts a limit."""
        await limit_job_type(self._store, self._wakeups, name, changes, actor=actor)

    async def release_worker(self, worker: str, *, actor: str) -> int:
        """Give a worker up: what it holds is free at once. Returns how many slices that were."""
        return await release_worker(self._store, self._wakeups, worker, actor=actor)

    async def _by_page(
        self,
        job_id: int,
        change: Callable[[Repositories, list[int]], Awaitable[_Tally]],
        action: str,
        actor: str,
    ) -> _Tally:
        """Change dead letters some at a time, each page in a transaction with its record."""
        after, changed, left_out = 0, 0, 0
        while seqs := await self._store.outcomes.dead(job_id=job_id, after=after, limit=PAGE):
            after = seqs[-1]

            async def work(tx: Repositories, page: list[int] = seqs) -> _Tally:
                tally = await change(tx, page)
                if tally.changed:
                    await self._record(tx, job_id, action, actor, items=tally.changed)
                return tally

            tally = await self._store.transact(work)
            changed += tally.changed
            left_out += tally.left_out
        return _Tally(changed, left_out)

    async def _job(self, job_id: int) -> Row:
        job = await self._store.jobs.get(job_id)
        if job is None:
            raise NotFoundError(f"there is no job {job_id}")
        return job

    async def _check_live(self, tx: Repositories, job_id: int) -> None:
        job = await tx.jobs.get(job_id)
        if job is None or job["ended_at"] is not None:
            await self._explain(tx, job_id, "has ended")

    @staticmethod
    async def _explain(tx: Repositories, job_id: int, why: str) -> None:
        if await tx.jobs.get(job_id) is None:
            raise NotFoundError(f"there is no job {job_id}")
        raise ConflictError(f"job {job_id} {why}")

    @staticmethod
    async def _record(tx: Repositories, job_id: int, action: str, actor: str, **detail: int) -> None:
        await tx.actions.append(
            job_id=job_id, action=action, actor=actor, detail=orjson.dumps(detail).decode()
        )
