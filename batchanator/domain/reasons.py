"""Why a job is in the state it is in: what stopped it, or what its counts come to."""

from collections.abc import Mapping
from typing import Any, NamedTuple

NOTHING_SUCCEEDED = "nothing_succeeded"
_COUNTED = (
    ("dead", "dead"),
    ("cancelled", "cancelled"),
    ("rejected", "rejected"),
    ("duplicates", "duplicate"),
)


class Reason(NamedTuple):
    code: str | None
    text: str


def status_reason(job: Mapping[str, Any]) -> Reason | None:
    """Return why a job was stopped or failed, from its row with counts; None where there is nothing to explain."""
    if job["reason"] is not None:
        return Reason(job["reason_code"], job["reason"])
    if job["status"] != "failed":
        return None
    counts = [f"{job[name]} {word}" for name, word in _COUNTED if job[name]]
    return Reason(NOTHING_SUCCEEDED, f"no line succeeded or was skipped: {', '.join(counts)}")
