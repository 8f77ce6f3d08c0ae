from collections.abc import Sequence
from typing import Any

from batchanator.store.driver import Row, Session
from batchanator.store.statements import load

_UPSERT = load("job_types/upsert")
_LIST = load("job_types/list")
_ACT = load("actions/append")


class JobTypes:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def upsert(self, **columns: Any) -> int:
        """Write how a job type is run (columns of job_types/upsert.sql) and return its id."""
        return int((await self._session.fetch(_UPSERT, **columns))[0]["id"])

    async def list(self) -> Sequence[Row]:
        return await self._session.fetch(_LIST)


class Actions:
    """Who asked for cancel, pause, redrive, purge, settings, and when."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def append(self, *, job_id: int | None, action: str, actor: str, detail: str = "{}") -> None:
        await self._session.fetch(_ACT, job_id=job_id, action=action, actor=actor, detail=detail)
