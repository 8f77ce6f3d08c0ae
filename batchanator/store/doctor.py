"""What an operator asks at night, as rows: each method one statement of sql/queries/doctor."""

from collections.abc import Sequence
from datetime import timedelta

from batchanator.store.driver import Row, Session
from batchanator.store.statements import load

_READY = load("doctor/ready")
_WAITING = load("doctor/waiting")
_LAPSED = load("doctor/lapsed")
_SUSPECTS = load("doctor/suspects")
_INGESTIONS = load("doctor/ingestions")
_STOPPING = load("doctor/stopping")
_PINNING = load("doctor/pinning")
_TABLES = load("doctor/tables")
_SERVER = load("doctor/server")
LIMIT = 20


class Doctor:
    """Lists end after 20 rows: who has more knows where to look."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def ready(self) -> Sequence[Row]:
        return await self._session.fetch(_READY, limit=LIMIT)

    async def waiting(self) -> Row:
        """Return due_at (of the earliest retry, or None) and now_at."""
        return (await self._session.fetch(_WAITING))[0]

    async def lapsed(self) -> Sequence[Row]:
        return await self._session.fetch(_LAPSED, limit=LIMIT)

    async def suspects(self) -> Sequence[Row]:
        return await self._session.fetch(_SUSPECTS, limit=LIMIT)

    async def ingestions(self) -> Sequence[Row]:
        return await self._session.fetch(_INGESTIONS, limit=LIMIT)

    async def stopping(self) -> Sequence[Row]:
        return await self._session.fetch(_STOPPING, limit=LIMIT)

    async def pinning(self, *, age: timedelta) -> Sequence[Row]:
        """Return what keeps dead rows alive for longer than `age`: kind, name, whose, state, seconds."""
        return await self._session.fetch(_PINNING, age=age)

    async def tables(self) -> Sequence[Row]:
        return await self._session.fetch(_TABLES)

    async def server(self) -> dict[str, str]:
        return {row["name"]: row["value"] for row in await self._session.fetch(_SERVER)}
