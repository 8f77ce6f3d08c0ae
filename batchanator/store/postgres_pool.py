"""Opens the pool: of sessions of our own, or of PgBouncer's, which gives each transaction any server session.

On sessions of our own the settings are start-up parameters, and statements stay prepared. Behind a pooler neither
would outlive a transaction, so each begins with its settings, nothing is prepared by name, and nobody can LISTEN.
"""

from typing import Any, NamedTuple

import asyncpg

COMMAND_SECONDS = 60.0
EACH_TRANSACTION = {
    "synchronous_commit": "on",
    "lock_timeout": "30s",
    "jit": "off",
    "enable_bitmapscan": "off",  # without statistics it reads all ready slices of a job to take the first few
}
EACH_SESSION = {
    "application_name": "batchanator",
    "timezone": "UTC",  # poolers carry these two
    "default_transaction_isolation": "read committed",  # our transactions say it themselves
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "client_connection_check_interval": "5s",
}
_CARRIED = {name: EACH_SESSION[name] for name in ("application_name", "timezone")}


class Pool(NamedTuple):
    connections: Any
    begin: str
    """What each transaction runs first; nothing where the sessions are our own."""


def settings(idle_seconds: float) -> dict[str, str]:
    """Return the settings that a transaction needs; `idle_seconds`: how long one may stand still."""
    return {**EACH_TRANSACTION, "idle_in_transaction_session_timeout": f"{int(idle_seconds * 1000)}ms"}


async def open_pool(url: str, size: int, wanted: dict[str, str]) -> Pool:
    try:
        pool = await _create(url, size, server_settings=EACH_SESSION | wanted)
    except asyncpg.ProtocolViolationError as error:
        if "startup parameter" not in str(error):
            raise
    else:
        try:
            if not await _is_shared(pool):
                return Pool(pool, "")
        except BaseException:
            pool.terminate()
            raise
        await pool.close()
    pool = await _create(url, size, server_settings=_CARRIED, statement_cache_size=0)
    return Pool(pool, "".join(f"SET LOCAL {name} = '{value}';" for name, value in wanted.items()))


async def _create(url: str, size: int, **options: Any) -> Any:
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        max_inactive_connection_lifetime=300,
        command_timeout=COMMAND_SECONDS,
        timeout=10,
        reset=_nothing_to_reset,
        **options,
    )


async def _is_shared(pool: Any) -> bool:
    """Tell whether the session answers under another number than was promised when it was opened."""
    async with pool.acquire(timeout=10) as connection:
        asked = await connection.prepare("SELECT pg_backend_pid()", name="")  # a name could be taken already
        return bool(await asked.fetchval() != connection.get_server_pid())


async def _nothing_to_reset(_connection: Any) -> None:
    """Skip asyncpg's round trip at each release: no code of ours changes a session, or leaves a cursor or a lock."""
