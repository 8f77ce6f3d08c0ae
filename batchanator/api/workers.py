"""GET /workers: what each holds, and when it was last seen; POST /workers/{id}/release gives one up."""

from collections import defaultdict
from typing import Any

from aiohttp import web

from batchanator.api.admission import caller_of
from batchanator.api.answers import answer, answer_list
from batchanator.api.parameters import Query
from batchanator.api.service import Service
from batchanator.domain.errors import NotFoundError
from batchanator.store.driver import Row

STATES = ("alive", "gone", "all")
MAX_ID = 64


class Workers:
    def __init__(self, service: Service) -> None:
        self._store = service.reads
        self._operations = service.operations

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/workers", self.list), web.post("/workers/{id}/release", self.release)]

    async def list(self, request: web.Request) -> web.Response:
        query = Query(request, "state", "after", "limit")
        limit = query.limit()
        rows = await self._store.workers.page(
            after=query.text("after") or "",
            limit=limit + 1,
            state=query.one_of("state", STATES) or "alive",
        )
        page = rows[:limit]
        held: dict[str, list[Row]] = defaultdict(list)
        for row in await self._store.slices.holdings():
            held[row["worker"]].append(row)
        read: dict[str, list[int]] = defaultdict(list)
        for row in await self._store.jobs.ingesting():
            read[row["ingest_worker"]].append(row["id"])
        data = [_shape(row, held[row["incarnation"]], read[row["incarnation"]]) for row in page]
        return answer_list(request, data, after=page[-1]["incarnation"] if len(rows) > limit else None)

    async def release(self, request: web.Request) -> web.Response:
        worker = request.match_info["id"]
        if len(worker) > MAX_ID or not worker.isprintable():
            raise NotFoundError("there is no such worker")
        released = await self._operations.release_worker(worker, actor=caller_of(request).actor)
        return answer({"releasedCount": released})


def _shape(row: Row, held: list[Row], ingests: list[int]) -> dict[str, Any]:
    return {
        "id": row["incarnation"],
        "alive": bool(row["alive"]),
        "draining": bool(row["draining"]),
        "host": row["host"],
        "pid": row["pid"],
        "roles": row["roles"].split(","),
        "startedAt": row["started_at"],
        "seenAt": row["seen_at"],
        "leaseUntil": row["lease_until"],
        "holds": [
            {
                "jobId": one["job_id"],
                "slices": one["slices"],
                "items": int(one["items"]),
                "claimedAt": one["claimed_at"],
            }
            for one in held
        ],
        "ingests": ingests,
    }
