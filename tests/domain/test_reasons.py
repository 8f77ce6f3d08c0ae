"""A job that failed always says why."""

from typing import Any

from batchanator.domain.reasons import status_reason


def job(**changes: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("dead", "cancelled", "rejected", "duplicates"), 0)
    return {"reason": None, "reason_code": None, "status": "failed", **counts, **changes}


def test_what_stopped_a_job_is_its_reason() -> None:
    stopped = job(reason="the file is not there any more", reason_code="source_gone", rejected=3)
    assert status_reason(stopped) == ("source_gone", "the file is not there any more")
    by_hand = job(status="cancelled", reason="cancelled by ann", reason_code="cancelled")
    assert status_reason(by_hand) == ("cancelled", "cancelled by ann")


def test_a_job_in_which_nothing_succeeded_says_what_became_of_its_lines() -> None:
    sent_again = status_reason(job(rejected=10, duplicates=990))
    assert sent_again == ("nothing_succeeded", "no line succeeded or was skipped: 10 rejected, 990 duplicate")
    every_kind = status_reason(job(dead=1, cancelled=2, rejected=3, duplicates=4))
    assert every_kind is not None
    assert every_kind.text.endswith(": 1 dead, 2 cancelled, 3 rejected, 4 duplicate")


def test_a_job_that_did_not_fail_has_nothing_to_explain() -> None:
    for status in ("processing", "completed", "partially_completed"):
        assert status_reason(job(status=status, dead=1)) is None
