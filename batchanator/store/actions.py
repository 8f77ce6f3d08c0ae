from batchanator.store.driver import Row, Session
from batchanator.store.statements import load

_APPEND = load("actions/append")
_LIST = load("actions/list")
_NEWEST = load("actions/newest")
_LIST_BY_JOB = load("actions/list_by_job")


class Actions:
    """Who asked for cancel, pause, redrive, purge, settings, and when."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def append(self, *, job_id: int | None, action: str, actor: str, detail: str = "{}") -> None:
        await self._session.fetch(_APPEND, job_id=job_id, action=action, actor=actor, detail=detail)

    async def newest(self) -> int:
        """Return the id of the newest action, 0 where there is none."""
        return int((await self._session.fetch(_NEWEST))[0]["newest"] or 0)

    async def list(self, *, before: int, limit: int, job_id: int | None = None) -> list[Row]:
        """Return actions, newest first, with ids below `before`."""
        if job_id is None:
            return await self._session.fetch(_LIST, before=before, limit=limit)
        return await self._session.fetch(_LIST_BY_JOB, job_id=job_id, before=before, limit=limit)
