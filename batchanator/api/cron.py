"""GET /cron: what is run by the clock, when next, and what came of the last times."""

from datetime import datetime
from typing import Any

from aiohttp import web

from batchanator.api.answers import answer_list
from batchanator.api.parameters import Query
from batchanator.api.service import Planned, Service
from batchanator.store.driver import Row

UPCOMING = 5
LAST = 50


class Cron:
    def __init__(self, service: Service) -> None:
        self._store = service.reads
        self._planned = service.planned

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/cron", self.list)]

    async def list(self, request: web.Request) -> web.Response:
        Query(request)
        data = []
        for job in self._planned:
            _, now = await self._store.cron_runs.latest(name=job.schedule.name)
            runs = await self._store.cron_runs.list(name=job.schedule.name, limit=LAST)
            data.append(_shape(job, now, runs))
        return answer_list(request, data, after=None)


def _shape(job: Planned, now: datetime, runs: list[Row]) -> dict[str, Any]:
    schedule = job.schedule
    return {
        "name": schedule.name,
        "cronExpression": str(schedule.expression),
        "timeZone": schedule.zone_name,
        "onMissed": schedule.on_missed,
        "enabled": job.enabled,
        "next": schedule.upcoming(now, UPCOMING) if job.enabled else [],
        "runs": [_run(row) for row in runs],
    }


def _run(row: Row) -> dict[str, Any]:
    ended = row["ended_at"]
    return {
        "scheduledFor": row["scheduled_at"],
        "result": row["result"] or "running",
        "detail": row["detail"],
        "worker": row["worker"],
        "host": row["host"],
        "startedAt": row["started_at"],
        "endedAt": ended,
        "seconds": None if ended is None else (ended - row["started_at"]).total_seconds(),
    }
