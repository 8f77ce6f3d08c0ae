"""What can be asked for with a new job, and what is answered."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

MAX_KEY_BYTES = 512
"""The longest idempotency key, in UTF-8."""

OnDuplicate = Literal["skip", "redrive", "never"]


@dataclass(frozen=True, slots=True)
class JobOptions:
    """Options of one job; None: the configuration's or the handler's value holds.

    `on_duplicate`: `skip` (a dead holder's key is taken over by another payload), `redrive` (by the same payload too),
    `never`. `strict`: one reject fails the job, with nothing run.
    """

    on_duplicate: OnDuplicate = "skip"
    strict: bool = False
    priority: int = 0
    max_concurrency: int | None = None
    slice_size: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Request:
    """A client's Idempotency-Key, and a fingerprint of what it asked for with it."""

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A direct item or a staging row. `key` and `payload` are judged like a line's; `raw` is kept of a bad one.

    `fault`: what was wrong before there was a key to judge, as a line's verdict would name it.
    """

    key: object
    payload: bytes | None
    raw: bytes = field(default=b"", repr=False)
    fault: Literal["not_object", "key_missing"] | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job that is in the database; `replayed`: it was there from the same request before."""

    job_id: int
    replayed: bool = False
