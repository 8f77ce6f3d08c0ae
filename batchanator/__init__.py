"""Push records through your own code, in your own database, and know what became of every line."""

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
