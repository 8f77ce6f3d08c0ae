"""Job types whose handlers run at `ApiBaseUrl`: whoever has the handler writes their rows, at any time."""

import asyncio
from datetime import timedelta

import structlog

from batchanator.dispatch.executors.http import remote_handler
from batchanator.dispatch.executors.target import Target
from batchanator.dispatch.held import JobTypePolicy
from batchanator.domain.backoff import Backoff
from batchanator.domain.errors import StoreError
from batchanator.domain.tracing import Spans
from batchanator.handlers.registered import RegisteredHandler
from batchanator.settings import Settings
from batchanator.store.store import Store

_log = structlog.get_logger("batchanator.app")


def target_of(settings: Settings, spans: Spans) -> Target:
    key = settings.api_key
    return Target(
        settings.api_base_url,
        connections=settings.max_concurrency_per_worker,
        key=None if key is None else key.get_secret_value(),
        max_answer_bytes=settings.max_request_bytes,
        spans=spans,
    )


class Elsewhere:
    """Keeps `policies` as the rows of `job_types` have them."""

    def __init__(self, store: Store, target: Target, settings: Settings) -> None:
        self.policies: dict[int, JobTypePolicy] = {}
        self._store = store
        self._target = target
        self._whole_slice = settings.api_requests == "slice"
        self._pause = settings.poll.total_seconds()
        self._handlers: dict[str, RegisteredHandler] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._read()
        self._task = asyncio.get_running_loop().create_task(self._follow(), name="job types")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            try:
                await self._read()
            except StoreError as error:
                _log.warning("job_types.not_read", error=str(error))

    async def _read(self) -> None:
        for row in await self._store.job_types.list():
            policy = JobTypePolicy(
                self._handler(row["name"]),
                row["id"],
                timeout_seconds=row["timeout_seconds"],
                max_attempts=row["max_attempts"],
                backoff=Backoff(
                    timedelta(seconds=row["backoff_cap_seconds"]), jitter=bool(row["backoff_jitter"])
                ),
            )
            self.policies[row["id"]] = policy

    def _handler(self, name: str) -> RegisteredHandler:
        if name not in self._handlers:
            self._handlers[name] = remote_handler(self._target, name, whole_slice=self._whole_slice)
        return self._handlers[name]
