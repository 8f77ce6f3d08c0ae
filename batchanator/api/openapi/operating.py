"""Answers for operators and programs: job types, workers, actions, /process, health, problems."""

from typing import Any, Literal

import msgspec

from batchanator.api.openapi.model import Answer, Count, Instant, Json, Listed


class Handler(Answer):
    job_type: str
    handler: str | None
    whole_slice: bool | None
    slice_size: int
    timeout_seconds: float
    max_attempts: int
    max_retry_delay_seconds: float
    retry_jitter: bool
    paused: bool
    max_concurrency: int | None
    rate_per_second: float | None
    live_jobs: Count
    paused_jobs: Count


class Handlers(Listed):
    data: list[Handler]


class Holding(Answer):
    job_id: int
    slices: Count
    items: Count
    claimed_at: Instant | None


class Worker(Answer):
    id: str
    alive: bool
    draining: bool
    host: str
    pid: int
    roles: list[str]
    started_at: Instant
    seen_at: Instant
    lease_until: Instant
    holds: list[Holding]
    ingests: list[int]


class Workers(Listed):
    data: list[Worker]


class Released(Answer):
    released_count: Count


class Action(Answer):
    id: int
    action: str
    actor: str
    job_id: int | None
    detail: dict[str, Any]
    at: Instant


class Actions(Listed):
    data: list[Action]


class CronRun(Answer):
    scheduled_for: Instant
    result: Literal["running", "succeeded", "failed", "skipped", "lost"]
    detail: str | None
    worker: str
    host: str | None
    started_at: Instant
    ended_at: Instant | None
    seconds: float | None


class CronJob(Answer):
    name: str
    cron_expression: str
    time_zone: str
    on_missed: Literal["RunOnce", "Skip"]
    enabled: bool
    next: list[Instant]
    runs: list[CronRun]


class Cron(Listed):
    data: list[CronJob]


class Outcome(Answer):
    success: bool
    result: Json
    error: str | None
    code: str | None
    permanent: bool
    retry_after: float | None
    skipped: str | None


class BatchOutcome(Outcome):
    seq: int


class BatchOutcomes(Answer):
    outcomes: list[BatchOutcome]


class Alive(Answer):
    status: Literal["ok"]


class Ready(Answer):
    """`checks` are told to callers who may read."""

    status: Literal["ready"]
    checks: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class ProblemPart(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    pointer: str
    code: str
    detail: str
    line: int | msgspec.UnsetType = msgspec.UNSET


class Problem(msgspec.Struct, kw_only=True):
    """RFC 9457; some kinds have members of their own beside these."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemPart] | msgspec.UnsetType = msgspec.UNSET
