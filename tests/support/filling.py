"""A database with every kind of state in it, made by the product's own statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from batchanator.domain.submission import Entry, JobOptions
from batchanator.ingest.filling import Cutting
from batchanator.ingest.reading import SourceReader
from batchanator.store.records import Claimed, Listed, SliceKey
from tests.contract.world import BAD, FATAL, GOOD, LATER, NOW, SKIP, Answer, World, entries, settlement

OTHER = '{"a": 2}'
RESULT = Answer("succeeded", result='{"sent": true}')
ROW = Answer("succeeded", own_row=True)


@dataclass
class Filled:
    """The jobs by what is to be seen in them."""

    world: World
    jobs: dict[str, int] = field(default_factory=dict)

    async def job(
        self,
        name: str,
        lines: int | Sequence[Entry],
        *,
        sealed: bool = True,
        options: JobOptions | None = None,
    ) -> int:
        if isinstance(lines, int):
            lines = entries([f"{name}/{number}" for number in range(1, lines + 1)])
        self.jobs[name] = await self.world.job(lines, slice_size=4, chunk=10, sealed=sealed, options=options)
        return self.jobs[name]

    async def take(self, worker: str, job_id: int, slices: int = 1) -> list[Claimed]:
        return await self.world.store.slices.claim_listed(
            worker=worker, types=list(self.world.types.values()), limit=slices, jobs=[Listed(job_id, 0)]
        )

    async def finish(self, job_id: int, answers: Mapping[int, Answer] | None = None) -> None:
        """Run a job to its end, its retries too; what is not answered succeeds."""
        worker = await self.world.worker()
        while True:
            while taken := await self.take(worker, job_id, 20):
                said = [settlement(one, answers or {}) for one in taken]
                await self.world.store.slices.settle(
                    worker=worker,
                    slices=[one for one, _ in said],
                    items=[row._replace(started_ago=NOW) for _, rows in said for row in rows],
                )
            if not await self.world.duties.promote():
                return


async def fill(world: World) -> Filled:
    filled = Filled(world)
    await _ended(filled)
    await _redriven(filled)
    await _cancelled(filled)
    await _staged(filled)
    await _crashed(filled)
    await _in_work(filled)
    return filled


async def _ended(filled: Filled) -> None:
    """Completed, empty, all kinds of lines, dead letters, a purged one, a mended one."""
    await filled.finish(await filled.job("done", 15), {1: RESULT, 2: SKIP, 6: ROW})
    await filled.job("empty", 0)
    again = entries(["done/1", "done/2", "done/3"])
    conflict = entries(["done/4"], OTHER)
    new = entries(["resent/1", "resent/2", "resent/2"])
    bad = [Entry("", b"{}", b"raw"), Entry("resent/3", b"{", b"raw")]
    await filled.finish(await filled.job("resent", [*again, *conflict, *new, *bad]))
    await filled.finish(await filled.job("letters", 8), {1: FATAL, 2: BAD, 5: FATAL})
    mended = [*entries(["letters/1"], OTHER), *entries(["letters/2"])]
    await filled.finish(await filled.job("mended", mended))
    purged = await filled.job("purged", 3)
    await filled.finish(purged, {2: FATAL})
    await filled.world.operations.purge(purged, actor="test")


async def _redriven(filled: Filled) -> None:
    """One job in its second ended round, one whose second round goes on."""
    for name in ("redriven", "reopened"):
        job_id = await filled.job(name, 15)
        await filled.finish(job_id, {2: FATAL, 3: BAD, 6: FATAL, 12: FATAL})
        await filled.world.operations.replay(job_id, actor="test")
    await filled.finish(filled.jobs["redriven"], {3: SKIP, 12: FATAL})


async def _cancelled(filled: Filled) -> None:
    """Retrying and untouched items cancelled, some of their keys taken over; one redriven after a stop."""
    world = filled.world
    worker = await world.worker()
    cancelled = await filled.job("cancelled", 8)
    await world.settle(worker, await filled.take(worker, cancelled), {1: LATER, 2: FATAL})
    await world.operations.cancel(cancelled, actor="test")
    await world.duties.sweep()
    await filled.finish(await filled.job("taken", entries(["cancelled/1", "cancelled/5"])))
    await world.operations.replay(cancelled, actor="test")


async def _staged(filled: Filled) -> None:
    """Rows of the staging table moved into a job, and one that came later."""
    world = filled.world
    insert = "INSERT INTO pending_work (job_type, idempotency_key, payload) VALUES ('mail', :key, '{}') RETURNING id"
    for number in range(3):
        await world.fetch(insert, key=f"staged/{number}")
    submitted = await world.submitter().database("mail", options=JobOptions(), request=None)
    assert submitted is not None
    await world.fetch(insert, key="staged/late")
    filled.jobs["staged"] = submitted.job_id
    job = await world.store.jobs.take_ingestion(job_id=submitted.job_id, worker=await world.worker())
    assert job is not None
    reader = SourceReader(world.store, world.wakeups, roots=[], cutting=Cutting(2))
    await reader.read(job, (await world.store.job_types.list())[0])
    reader.close()
    await filled.finish(submitted.job_id)


async def _crashed(filled: Filled) -> None:
    """An item dead of crashes in a slice that goes on, a suspect slice, one given back after a start."""
    world = filled.world
    for name, crashes in (("crashed", 2), ("suspect", 1)):
        job_id = await filled.job(name, 4)
        for _ in range(crashes):
            worker = await world.worker()
            (taken,) = await filled.take(worker, job_id)
            key = SliceKey(job_id, taken.first_seq, taken.fence)
            assert await world.store.slices.mark_running(worker=worker, key=key, seq=2)
            await world.die(worker)
            await world.duties.recover()
    assert await world.duties.bury() == 1
    worker = await world.worker()
    released = await filled.job("released", 4)
    (taken,) = await filled.take(worker, released)
    await world.release(worker, taken, started=True)


async def _in_work(filled: Filled) -> None:
    """Waiting, leased and partly flushed, ready, held, paused, stopping, being ingested."""
    world = filled.world
    worker = await world.worker()
    running = await filled.job("running", 12)
    first, second = await filled.take(worker, running, 2)
    await world.settle(worker, first, {2: LATER, 3: SKIP})
    await world.flush(worker, second, {5: GOOD, 6: LATER, 7: FATAL})
    stopping = await filled.job("stopping", 12)
    (leased,) = await filled.take(worker, stopping)
    await world.flush(worker, leased, {2: LATER})
    await world.operations.cancel(stopping, actor="test")
    await world.operations.pause(await filled.job("paused", 4), actor="test")
    await filled.job("ingesting", 4, sealed=False)
    await filled.job("strict", 4, options=JobOptions(strict=True))
