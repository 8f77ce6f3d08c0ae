from datetime import datetime, timedelta
from typing import Literal

from batchanator.store.driver import Row, Session, fetch_one
from batchanator.store.statements import load

_LATEST = load("cron_runs/latest")
_CLOSE_LOST = load("cron_runs/close_lost")
_BEGIN = load("cron_runs/begin")
_SKIP = load("cron_runs/skip")
_RUNNING = load("cron_runs/running")
_FINISH = load("cron_runs/finish")
_LIST = load("cron_runs/list")
_PRUNE = load("cron_runs/prune")


class CronRuns:
    """One row for each name and time that was due: who ran it, or why nobody did."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def latest(self, *, name: str) -> tuple[datetime | None, datetime]:
        """Return the latest time of the name on record, and the database's clock."""
        row = (await self._session.fetch(_LATEST, name=name))[0]
        return row["scheduled_at"], row["now_at"]

    async def close_lost(self, *, name: str) -> list[Row]:
        return await self._session.fetch(_CLOSE_LOST, name=name)

    async def begin(self, *, name: str, scheduled_for: datetime, worker: str) -> bool:
        rows = await self._session.fetch(_BEGIN, name=name, scheduled_for=scheduled_for, worker=worker)
        return bool(rows)

    async def skip(self, *, name: str, scheduled_for: datetime, worker: str, detail: str) -> bool:
        rows = await self._session.fetch(
            _SKIP, name=name, scheduled_for=scheduled_for, worker=worker, detail=detail
        )
        return bool(rows)

    async def running(self, *, name: str) -> Row | None:
        return await fetch_one(self._session, _RUNNING, name=name)

    async def finish(
        self,
        *,
        name: str,
        scheduled_for: datetime,
        worker: str,
        result: Literal["succeeded", "failed"],
        detail: str,
    ) -> timedelta | None:
        """End a run and return how long it took; None: it was closed as lost meanwhile."""
        row = await fetch_one(
            self._session,
            _FINISH,
            name=name,
            scheduled_for=scheduled_for,
            worker=worker,
            result=result,
            detail=detail,
        )
        if row is None:
            return None
        took: timedelta = row["ended_at"] - row["started_at"]
        return took

    async def list(self, *, name: str, limit: int) -> list[Row]:
        """Return the last runs of a name, the latest first."""
        return await self._session.fetch(_LIST, name=name, limit=limit)

    async def prune(self, *, age: timedelta) -> None:
        await self._session.fetch(_PRUNE, age=age)
