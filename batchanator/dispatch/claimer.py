"""Which claim to make: over all runnable jobs, over a shortlist where they are many, over limited ones locked."""

from collections.abc import Mapping, Sequence
from time import monotonic

from batchanator.store.limited import claim_limited
from batchanator.store.records import Claimed, Floor, Listed
from batchanator.store.store import Repositories, Store

MOST_JOBS = 50
LIST_SECONDS = 0.25
LIST_LENGTH = 256
FLOOR_SECONDS = 1.0
LOOK_SECONDS = 1.0
MOST_SLICES = 20
RATED_SECONDS = 0.15


class Claimer:
    """Claims for one worker. Hints (floors, shortlist) only save work; every check is in the statement."""

    def __init__(self, store: Store, types: Sequence[int]) -> None:
        self._store = store
        self.types = types
        """Whose slices are claimed; another sequence takes its place where a target is away."""
        self._floors: dict[int, int] = {}
        self._floors_from = 0.0
        self._list: list[int] = []
        self._list_from = 0.0
        self._jobs = 0
        self._limited = 0
        self._rated = 0
        self._looked_at = -LOOK_SECONDS
        self._was_empty = True

    async def claim(self, worker: str, limit: int) -> list[Claimed]:
        """Return up to `limit` slices; none where nothing is ready."""
        limit = min(limit, MOST_SLICES)
        now = monotonic()
        if now - self._floors_from > FLOOR_SECONDS:
            self._floors, self._floors_from = {}, now
        if self._was_empty and self._jobs <= MOST_JOBS and not self._limited:
            self._was_empty = False  # out of idleness the shortest way: one statement, a look round after it
            if taken := await self._claim_all(worker, limit):
                return taken
        if now - self._looked_at > LOOK_SECONDS:
            self._jobs, self._limited, self._rated = await self._store.jobs.live()
            self._looked_at = now
        if self._limited:
            taken = await self._claim_with_limited(worker, limit)
        elif self._jobs > MOST_JOBS:
            taken = await self._claim_from_list(worker, limit)
        else:
            taken = await self._claim_all(worker, limit)
        if not taken:
            self._floors, self._list, self._looked_at = {}, [], -LOOK_SECONDS
            self._was_empty = True
        return taken

    async def _claim_all(self, worker: str, limit: int) -> list[Claimed]:
        floors = [Floor(job, floor) for job, floor in self._floors.items()]
        taken = await self._store.slices.claim(worker=worker, types=self.types, limit=limit, floors=floors)
        self._floors.update(_lowest(taken))
        return taken

    async def _claim_from_list(self, worker: str, limit: int) -> list[Claimed]:
        """Claim from the shortlist, to its end: others may have emptied the jobs that come first."""
        while jobs := await self._next_listed(limit):
            taken = await self._store.slices.claim_listed(
                worker=worker, types=self.types, limit=limit, jobs=jobs
            )
            if taken or not self._list:
                self._floors.update(_lowest(taken))
                return taken
        return []

    async def _next_listed(self, limit: int) -> list[Listed]:
        """Return jobs from a list read at most 250 ms ago, each used once: a claim costs O(limit), not O(jobs)."""
        now = monotonic()
        if not self._list or now - self._list_from > LIST_SECONDS:
            self._list = await self._store.jobs.runnable(types=self.types, limit=LIST_LENGTH)
            self._list_from = now
        part, self._list = self._list[:limit], self._list[limit:]
        return [Listed(job, self._floors.get(job, 0)) for job in part]

    async def _claim_with_limited(self, worker: str, limit: int) -> list[Claimed]:
        """Claim from jobs with and without a limit, in one order; go on to the end of the shortlist, too."""
        listed: list[Listed] = []

        async def work(tx: Repositories) -> list[Claimed]:
            return await claim_limited(tx, worker=worker, types=self.types, limit=limit, listed=listed)

        while True:
            listed = await self._next_listed(limit)
            taken = await self._store.transact(work)
            if taken or not self._list:
                return taken

    def longest_wait(self, poll: float) -> float:
        """Return when to look again where nothing is ready: soon, where a rate may let something start by then."""
        return min(poll, RATED_SECONDS) if self._rated else poll


def _lowest(taken: Sequence[Claimed]) -> Mapping[int, int]:
    floors: dict[int, int] = {}
    for one in taken:
        floors[one.job_id] = min(floors.get(one.job_id, one.ordinal), one.ordinal)
    return floors
