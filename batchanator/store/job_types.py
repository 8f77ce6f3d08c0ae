from collections.abc import Sequence
from typing import Any

from batchanator.store.driver import Row, Session
from batchanator.store.statements import load

_UPSERT = load("job_types/upsert")
_LIST = load("job_types/list")


class JobTypes:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def upsert(self, **columns: Any) -> int:
        """Write how a job type is run (columns of job_types/upsert.sql) and return its id."""
        return int((await self._session.fetch(_UPSERT, **columns))[0]["id"])

    async def list(self) -> Sequence[Row]:
        return await self._session.fetch(_LIST)
