"""The handlers of this process, as they will be run: their own word and the configuration's, resolved."""

from dataclasses import dataclass

from batchanator.app.job_types import resolved
from batchanator.handlers.registry import Registry
from batchanator.settings import Settings


@dataclass(frozen=True, slots=True)
class HandlerInfo:
    job_type: str
    source: str
    kind: str
    slice_size: int
    timeout_seconds: float
    max_attempts: int
    longest_retry_seconds: float
    retry_jitter: bool


def handler_list(registry: Registry, settings: Settings) -> list[HandlerInfo]:
    """Return them by name; `kind` is async, thread, process, or slice (of any)."""
    found = []
    for handler in registry:
        one = resolved(handler, settings)
        how = "process" if handler.place == "child" else "async" if handler.is_async else "thread"
        found.append(
            HandlerInfo(
                handler.job_type,
                handler.source,
                f"slice, {how}" if handler.whole_slice else how,
                one.slice_size,
                float(one.timeout_seconds),
                one.max_attempts,
                one.backoff.cap.total_seconds(),
                one.backoff.jitter,
            )
        )
    return found
