"""How each job type is run: its handler's word first, then JobTypes of the configuration, then the general settings."""

from collections.abc import Mapping
from datetime import timedelta

from batchanator.dispatch.held import JobTypePolicy
from batchanator.domain.backoff import Backoff
from batchanator.domain.policy import HandlerPolicy
from batchanator.handlers.registered import RegisteredHandler
from batchanator.handlers.registry import Registry
from batchanator.settings import JobTypeSettings, Settings
from batchanator.store.store import Store

_NOTHING = HandlerPolicy()


class Resolved:
    """The resolved words of one job type."""

    __slots__ = ("backoff", "max_attempts", "slice_size", "timeout_seconds")

    def __init__(self, own: HandlerPolicy, configured: JobTypeSettings | None, settings: Settings) -> None:
        given = configured or JobTypeSettings()
        cap = given.max_retry_delay_seconds
        jitter = given.retry_jitter
        general = Backoff(
            settings.max_retry_delay if cap is None else timedelta(seconds=cap),
            settings.retry_jitter if jitter is None else jitter,
        )
        self.slice_size = given.slice_size or own.slice_size or settings.processing_batch_size
        timeout = own.timeout.total_seconds() if own.timeout is not None else None
        self.timeout_seconds = given.timeout_seconds or timeout or settings.lease.total_seconds()
        self.max_attempts = given.max_attempts or own.max_attempts or settings.max_attempts
        self.backoff = general if cap is not None or own.backoff is None else own.backoff


async def write_job_types(store: Store, registry: Registry, settings: Settings) -> dict[str, int]:
    """Write every type that has a handler here or stands in `JobTypes`; returns their ids by name."""
    types: dict[str, Resolved] = {
        name: Resolved(_NOTHING, given, settings) for name, given in _configured(settings).items()
    }
    for handler in registry:
        types[handler.job_type] = resolved(handler, settings)
    return {
        name: await store.job_types.upsert(
            name=name,
            slice_size=one.slice_size,
            timeout_seconds=float(one.timeout_seconds),
            max_attempts=one.max_attempts,
            backoff_cap_seconds=one.backoff.cap.total_seconds(),
            backoff_jitter=one.backoff.jitter,
        )
        for name, one in sorted(types.items())
    }


def resolved(handler: RegisteredHandler, settings: Settings) -> Resolved:
    return Resolved(handler.policy, _configured(settings).get(handler.job_type), settings)


def policy_for(handler: RegisteredHandler, job_type_id: int, settings: Settings) -> JobTypePolicy:
    one = resolved(handler, settings)
    return JobTypePolicy(
        handler,
        job_type_id,
        timeout_seconds=one.timeout_seconds,
        max_attempts=one.max_attempts,
        backoff=one.backoff,
    )


def policies_of(registry: Registry, ids: Mapping[str, int], settings: Settings) -> dict[int, JobTypePolicy]:
    """Return how each type with a handler here is run, by the type's id."""
    return {
        ids[handler.job_type]: policy_for(handler, ids[handler.job_type], settings) for handler in registry
    }


def _configured(settings: Settings) -> Mapping[str, JobTypeSettings]:
    return settings.job_types
