"""What goes into statements as lists, and what a claim brings back."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

# Who holds a key: (job id, seq, payload hash). A plain tuple, since a file that is sent again makes one a line.
Holder = tuple[int, int, int]


class SliceKey(NamedTuple):
    job_id: int
    first_seq: int
    fence: int


class Floor(NamedTuple):
    """The lowest ordinal of a job that a claim need look at: a hint."""

    job_id: int
    floor: int


class Listed(NamedTuple):
    """A job to claim from, and how many of its slices; `room` is None where no limit holds for it."""

    job_id: int
    floor: int
    room: int | None = None


class Limits(NamedTuple):
    """What bounds a job and its type: slices leased at a time, starts of items a second; None: nothing does."""

    max_concurrency: int | None
    type_max_concurrency: int | None
    rate: float | None
    type_rate: float | None

    @classmethod
    def of(cls, row: Any) -> "Limits":
        return cls(row["max_concurrency"], row["type_max_concurrency"], row["rate"], row["type_rate"])


class Window(NamedTuple):
    """Starts that were taken out of a rate's account: the nth, from 0, at `begins` + n / `per_second`.

    `begins` is on the clock of time.monotonic().
    """

    begins: float
    per_second: float
    items: int


class Terms(NamedTuple):
    """How a job stands now. `halted`: nothing of it or of its type may start."""

    halted: bool
    limits: Limits


class Release(NamedTuple):
    job_id: int
    first_seq: int
    fence: int
    started: bool


class SliceOutcome(NamedTuple):
    """What a settle says of one slice.

    `state` is the one that the slice must still be in (1 for a worker's). `closing` ends or re-arms it; else this is
    a flush. `plain` items ended as `run_status` without a row of their own. `*_ago` is the time since then; the
    arrays are JSON text by position = seq - first_seq.
    """

    job_id: int
    first_seq: int
    fence: int
    state: int
    closing: bool
    plain: int
    run_status: str | None
    started_ago: timedelta
    finished_ago: timedelta
    start_offsets_us: str | None
    durations_us: str | None
    results: str | None


class ItemOutcome(NamedTuple):
    """What a settle says of one item that needs a row of its own; `failed` adds to its log of attempts."""

    job_id: int
    first_seq: int
    seq: int
    status: str
    reason: str | None
    attempts: int
    max_attempts: int
    failed: bool
    wait: timedelta | None
    started_ago: timedelta | None
    finished_ago: timedelta
    error_code: str | None
    error: str | None
    fingerprint: str | None
    result: str | None


class Settled(NamedTuple):
    """A slice that was held when it was settled."""

    job_id: int
    first_seq: int
    job_ended: bool
    due_at: datetime | None


class Claimed(NamedTuple):
    """A slice with its due items: `body` is a JSON array of their payloads, in the order of `seqs`.

    `retries` maps a seq that was tried before to (attempts so far, attempts allowed).
    """

    job_id: int
    first_seq: int
    last_seq: int
    ordinal: int
    fence: int
    settles: int
    job_type_id: int
    suspect: bool
    limits: Limits
    retries: dict[int, tuple[int, int]]
    seqs: list[int]
    keys: list[str]
    body: str | None
    window: Window | None = None
    """The first of its starts, where it is under a rate."""

    @property
    def serial(self) -> bool:
        """Its items run one at a time: a cap on slices is one on items."""
        return self.limits.max_concurrency is not None or self.limits.type_max_concurrency is not None


class Crashed(NamedTuple):
    """An item that was named by so many crashes that it is a dead letter."""

    job_id: int
    first_seq: int
    fence: int
    seq: int
    crashes: int
    last_at: datetime
    attempts: int
    max_attempts: int


class KeyRow(NamedTuple):
    seq: int
    payload_hash: int
    key: str


class ItemId(NamedTuple):
    job_id: int
    seq: int


class BatchId(NamedTuple):
    job_id: int
    number: int


class Take(NamedTuple):
    """A key that moves from a dead or cancelled item to a new line."""

    key: str
    seq: int
    payload_hash: int
    holder_job_id: int
    holder_seq: int


class Checkpoint(NamedTuple):
    """How far a job's source was read: what the next chunk starts from."""

    ingest_fence: int
    byte_offset: int
    line: int
    chain: bytes


def claimed_from(row: Any, lists: Any) -> Claimed:
    due = lists(row["retry_seqs"])
    retries = (
        dict(
            zip(
                due,
                zip(lists(row["retry_attempts"]), lists(row["retry_max_attempts"]), strict=True),
                strict=True,
            )
        )
        if due
        else {}
    )
    return Claimed(
        row["job_id"],
        row["first_seq"],
        row["last_seq"],
        row["ordinal"],
        row["fence"],
        row["settles"],
        row["job_type_id"],
        bool(row["suspect"]),
        Limits.of(row),
        retries,
        lists(row["seqs"]),
        lists(row["keys"]),
        row["body"],
    )
