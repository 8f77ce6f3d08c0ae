"""Answers about jobs, batches and job types."""

from typing import Annotated, Literal

from msgspec import Meta

from batchanator.api.openapi.model import Answer, Count, Instant, Listed

JobStatus = Literal[
    "pending", "ingesting", "processing", "completed", "partially_completed", "failed", "cancelled"
]
BatchStatus = Literal["pending", "processing", "completed", "partially_completed", "failed", "cancelled"]


class Counts(Answer):
    """Disjoint; they sum to `total`."""

    total: Count
    pending: Count
    processing: Count
    retrying: Count
    succeeded: Count
    skipped: Count
    dead: Count
    cancelled: Count


class Source(Answer):
    """`lines` = accepted + duplicates + rejected. Bytes are null where the source has none."""

    kind: Literal["file", "database", "items", "upload"]
    name: str
    lines: Count
    accepted: Count
    duplicates: Count
    rejected: Count
    bytes_read: Count | None
    bytes_total: Count | None


class BatchCounts(Answer):
    total: Count
    completed: Count


class Progress(Answer):
    """`percent` is null while the total is unknown, and 100 at the end only."""

    percent: Annotated[float, Meta(ge=0, le=100)] | None
    items_per_second: Annotated[float, Meta(ge=0)] | None
    eta: Instant | None


class Job(Answer):
    id: int
    name: str
    job_type: str
    status: JobStatus
    status_reason: str | None
    status_reason_code: str | None
    paused: bool
    stopping: Literal["cancelled", "failed"] | None
    round: int
    priority: int
    max_concurrency: int | None
    rate_per_second: float | None
    created_at: Instant
    started_at: Instant | None
    sealed_at: Instant | None
    ended_at: Instant | None
    counts: Counts
    source: Source
    batches: BatchCounts
    progress: Progress


class Jobs(Listed):
    data: list[Job]


class Batch(Answer):
    id: str
    number: int
    status: BatchStatus
    counts: Counts
    created_at: Instant
    completed_at: Instant | None


class Batches(Listed):
    data: list[Batch]


class NewJob(Answer):
    job_id: int
    job_type: str
    status: JobStatus


class NewJobWithCounts(NewJob):
    """The counts are missing only where the database could not be asked for them again."""

    accepted: Count = 0
    duplicates: Count = 0
    rejected: Count = 0


class Message(Answer):
    message: str


class Cancelled(Answer):
    cancelled_count: Count


class LeftOut(Answer):
    """`replaced`: another item holds the key now. `purged`: there is no payload any more."""

    replaced: Count
    purged: Count


class Replayed(Answer):
    replayed_count: Count
    left_out: LeftOut


class Purged(Answer):
    purged_count: Count
