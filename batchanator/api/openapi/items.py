"""Answers about items, lines that are none, and what they met."""

from typing import Literal

from batchanator.api.openapi.model import Answer, Count, Instant, Json, Listed

ItemStatus = Literal["pending", "processing", "retrying", "succeeded", "skipped", "dead", "cancelled"]
DuplicateKind = Literal["duplicate", "conflict", "dead_holder"]


class ItemPlace(Answer):
    job_id: int
    seq: int


class Item(Answer):
    id: str
    seq: int
    source_row_id: int | None
    idempotency_key: str
    status: ItemStatus
    reason: Literal["exhausted", "permanent", "crashed"] | None
    attempts: Count
    error_code: str | None
    last_error: str | None
    locked_by: str | None
    locked_until: Instant | None
    next_attempt_at: Instant | None
    created_at: Instant
    updated_at: Instant
    result: Json
    skip_reason: str | None
    replaced_by: ItemPlace | None


class Items(Listed):
    data: list[Item]


class Attempt(Answer):
    attempt: int
    worker: str
    fence: int
    started_at: Instant | None
    ended_at: Instant
    code: str | None
    error: str | None


class ItemLapse(Answer):
    """`charged`: the worker was not seen again, so the lapse counts as a crash."""

    fence: int
    worker: str
    kind: Literal["lapsed", "released"]
    claimed_at: Instant | None
    lapsed_at: Instant
    charged: bool


class Lapse(ItemLapse):
    first_seq: int
    last_seq: int
    running_seq: int | None


class Lapses(Listed):
    data: list[Lapse]


class Reject(Answer):
    line: int
    byte_offset: Count
    code: str
    pointer: str
    message: str
    raw: str
    raw_encoding: Literal["utf-8", "base64"]
    raw_cut: bool


class Rejects(Listed):
    data: list[Reject]


class Duplicate(Answer):
    """`idempotencyKey` is null where the holder's item is pruned."""

    line: int
    kind: DuplicateKind
    idempotency_key: str | None
    holder: ItemPlace


class Duplicates(Listed):
    data: list[Duplicate]


class Holder(Answer):
    job_id: int
    seq: int
    status: ItemStatus | None
    replaced_by: ItemPlace | None


class HeldLine(Answer):
    kind: DuplicateKind
    holder: Holder


class Line(Answer):
    """What became of one line: an item with all that is known of it, a duplicate, or a reject."""

    id: str
    job_id: int
    seq: int
    batch_id: str | None
    source_row_id: int | None
    idempotency_key: str | None
    status: Literal[
        "pending",
        "processing",
        "retrying",
        "succeeded",
        "skipped",
        "dead",
        "cancelled",
        "duplicate",
        "rejected",
    ]
    reason: Literal["exhausted", "permanent", "crashed"] | None
    attempts: Count
    max_attempts: int | None
    error_code: str | None
    last_error: str | None
    locked_by: str | None
    locked_until: Instant | None
    next_attempt_at: Instant | None
    created_at: Instant | None
    updated_at: Instant | None
    purged_at: Instant | None
    result: Json
    skip_reason: str | None
    replaced_by: ItemPlace | None
    payload: Json
    attempts_log: list[Attempt]
    lapses: list[ItemLapse]
    duplicate: HeldLine | None
    reject: Reject | None


class Lines(Listed):
    data: list[Line]


class ErrorCount(Answer):
    code: str | None
    count: Count
    sample: str | None
    first_seq: int


class Errors(Listed):
    data: list[ErrorCount]


class ResultError(Answer):
    code: str | None
    message: str | None
