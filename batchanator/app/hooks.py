"""What handlers do when their process starts and stops."""

from collections.abc import Iterable

import structlog

from batchanator.domain.errors import HandlerError
from batchanator.handlers.registered import RegisteredHandler
from batchanator.handlers.texts import sanitise

_log = structlog.get_logger("batchanator.app")


class Hooks:
    """Starts handlers in their order, and stops those that started in the reverse one."""

    def __init__(self) -> None:
        self._started: list[RegisteredHandler] = []

    async def start(self, handlers: Iterable[RegisteredHandler]) -> None:
        """Raise HandlerError, in one line, where one does not start."""
        for handler in handlers:
            await _start_or_explain(handler)
            self._started.append(handler)

    async def stop(self) -> None:
        for handler in reversed(self._started):
            if handler.stop is not None:
                await _stop_quietly(handler)


async def _start_or_explain(handler: RegisteredHandler) -> None:
    if handler.start is None:
        return
    try:
        await handler.start()
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise HandlerError(f"{handler.source} did not start: {sanitise(reason, 500)}") from error


async def _stop_quietly(handler: RegisteredHandler) -> None:
    assert handler.stop is not None
    try:
        await handler.stop()
    except Exception:  # noqa: BLE001 - the user's code must not keep the rest from stopping
        _log.exception("handler.stop_failed", job_type=handler.job_type)
