"""A connection of its own that tells other processes a word, and hears theirs: LISTEN and NOTIFY."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg

from batchanator.store.postgres_errors import ERRORS, translate

ANSWER_SECONDS = 5.0
_TELL = "SELECT pg_notify($1, $2)"


class PostgresListener:
    def __init__(self, connection: Any, channel: str) -> None:
        self._connection = connection
        self._channel = channel
        self.lost = asyncio.Event()
        """The connection has ended."""

    @classmethod
    async def open(
        cls, url: str, channel: str, heard: Callable[[str], None], settings: dict[str, str]
    ) -> "PostgresListener":
        """Connect and listen; `heard` is called with every word, our own too."""
        try:
            connection = await asyncpg.connect(
                url, timeout=ANSWER_SECONDS, command_timeout=ANSWER_SECONDS, server_settings=settings
            )
        except ERRORS as error:
            raise translate(error) from error
        listener = cls(connection, channel)
        connection.add_termination_listener(lambda _connection: listener.lost.set())
        try:
            await connection.add_listener(channel, lambda *message: heard(message[3]))
        except BaseException as error:  # cancelled, too: nobody else knows of the connection
            connection.terminate()
            if isinstance(error, ERRORS):
                raise translate(error) from error
            raise
        return listener

    async def tell(self, word: str) -> None:
        try:
            await self._connection.execute(_TELL, self._channel, word)
        except ERRORS as error:
            raise translate(error) from error

    async def close(self) -> None:
        try:
            async with asyncio.timeout(1):
                await self._connection.close()
        except BaseException as error:
            self._connection.terminate()
            if not isinstance(error, (TimeoutError, *ERRORS)):
                raise
