"""GET /actions: who cancelled, paused, replayed, purged, released or set what, and when."""

from typing import Any

from aiohttp import web

from batchanator.api.answers import answer_list, raw_json
from batchanator.api.parameters import LARGEST, Query
from batchanator.api.service import Service
from batchanator.store.driver import Row


class Actions:
    def __init__(self, service: Service) -> None:
        self._store = service.reads

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/actions", self.list)]

    async def list(self, request: web.Request) -> web.Response:
        query = Query(request, "jobId", "after", "limit")
        limit = query.limit()
        job = query.whole("jobId", -1)
        rows = await self._store.actions.list(
            before=query.whole("after", LARGEST), limit=limit + 1, job_id=None if job < 0 else job
        )
        page = rows[:limit]
        data = [_shape(row) for row in page]
        return answer_list(request, data, after=page[-1]["id"] if len(rows) > limit else None)


def _shape(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "action": row["action"],
        "actor": row["actor"],
        "jobId": row["job_id"],
        "detail": raw_json(row["detail"]),
        "at": row["created_at"],
    }
