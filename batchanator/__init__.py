"""Push records through your own code, in your own database, and know what became of every line."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchanator.handlers import (
        Failed,
        JobContext,
        JobHandler,
        Outcome,
        Skipped,
        SliceContext,
        SliceHandler,
        Succeeded,
        handler,
    )

__all__ = [
    "Failed",
    "JobContext",
    "JobHandler",
    "Outcome",
    "Skipped",
    "SliceContext",
    "SliceHandler",
    "Succeeded",
    "handler",
]


def __getattr__(name: str) -> object:
    """Import what handlers are written with when it is asked for: a command does something else first (__main__)."""
    if name in __all__:
        from batchanator import handlers  # noqa: PLC0415 - see above

        return getattr(handlers, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
