"""What goes over POST /process and /process/batch: requests as they are sent, answers as outcomes."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from batchanator.domain.outcomes import Failed, Outcome, Skipped, Succeeded
from batchanator.handlers.answers import SUCCEEDED

UNKNOWN_JOB_TYPE = "unknown_job_type"
INVALID_ANSWER = "invalid_answer"
NO_RESULT = "no_result"
_SECONDS = re.compile(r"\s*(\d{1,9})\s*")


class ProcessRequest(msgspec.Struct, rename="camel"):
    job_type: str
    idempotency_key: str
    job_id: int
    seq: int
    attempt: int
    fence: int
    payload: msgspec.Raw


class BatchItem(msgspec.Struct, rename="camel"):
    seq: int
    idempotency_key: str
    attempt: int
    payload: msgspec.Raw


class BatchRequest(msgspec.Struct, rename="camel"):
    job_type: str
    job_id: int
    fence: int
    items: list[BatchItem]


class Answer(msgspec.Struct, rename="camel"):
    """What was made of an item. Fields that are not known are a newer target's."""

    success: bool
    result: Any = None
    error: str | None = None
    code: str | None = None
    permanent: bool = False
    retry_after: float | None = None
    skipped: str | None = None

    def outcome(self) -> Outcome:
        if not self.success:
            return Failed(self.error or "failed", self.code, self.retry_after, self.permanent)
        if self.skipped is not None:
            return Skipped(self.skipped)
        return SUCCEEDED if self.result is None else Succeeded(self.result)


class NumberedAnswer(Answer, kw_only=True):
    seq: int


class BatchAnswer(msgspec.Struct):
    outcomes: list[NumberedAnswer]


_ONE = msgspec.json.Decoder(Answer)
_BATCH = msgspec.json.Decoder(BatchAnswer)
_ENCODER = msgspec.json.Encoder()
encode = _ENCODER.encode


def read_one(body: bytes) -> Answer | Failed:
    try:
        return _ONE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _invalid(error)


def read_batch(body: bytes) -> Sequence[NumberedAnswer] | Failed:
    try:
        return _BATCH.decode(body).outcomes
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _invalid(error)


def by_seq(answers: Sequence[NumberedAnswer], seqs: Sequence[int]) -> list[Outcome]:
    """Return the outcomes of `seqs`, in their order: the first answer to each counts, foreign ones do not."""
    if len(answers) == len(seqs) and all(a.seq == seq for a, seq in zip(answers, seqs, strict=True)):
        return [answer.outcome() for answer in answers]
    found: dict[int, NumberedAnswer] = {}
    for answer in answers:
        found.setdefault(answer.seq, answer)
    return [found[seq].outcome() if seq in found else _NONE for seq in seqs]


def wait_asked_for(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that Retry-After names, as a number or as an HTTP date; None where it names none."""
    text = headers.get("Retry-After", "")
    if seconds := _SECONDS.fullmatch(text):
        return float(seconds[1])
    try:
        at = parsedate_to_datetime(text)
        return max((at - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):  # no date; a date without a zone
        return None


_NONE = Failed("the answer has no outcome for this item", NO_RESULT)


def _invalid(error: Exception) -> Failed:
    return Failed(f"the answer is not one of /process: {error}", INVALID_ANSWER)
