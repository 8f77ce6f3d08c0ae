from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from batchanator.store.driver import Row, Session, fetch_one
from batchanator.store.parameters import changed
from batchanator.store.statements import load

_UPSERT = load("job_types/upsert")
_LIST = load("job_types/list")
_LOCK_LIMITED = load("job_types/lock_limited")
_DRAW = load("job_types/draw")
_SET_LIMITS = load("job_types/set_limits")


class JobTypes:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def upsert(self, **columns: Any) -> int:
        """Write how a job type is run (columns of job_types/upsert.sql) and return its id."""
        return int((await self._session.fetch(_UPSERT, **columns))[0]["id"])

    async def lock_limited(self, *, types: Sequence[int], ahead: timedelta) -> list[int]:
        """Lock those of the types that are under a limit and have room."""
        rows = await self._session.fetch(_LOCK_LIMITED, types=list(types), ahead=ahead)
        return [row["id"] for row in rows]

    async def draw(self, job_type_id: int, *, items: int, credit: timedelta) -> Row | None:
        return await fetch_one(self._session, _DRAW, id=job_type_id, items=items, credit=credit)

    async def set_limits(self, name: str, changes: Mapping[str, object]) -> Row | None:
        """Change paused, max_concurrency or rate, those that are named; None where there is no such type."""
        given = changed(changes, ("paused", "max_concurrency", "rate"))
        return await fetch_one(self._session, _SET_LIMITS, name=name, **given)

    async def list(self) -> Sequence[Row]:
        return await self._session.fetch(_LIST)
