"""Progress never tells more than is known."""

from datetime import UTC, datetime, timedelta
from typing import Any

from batchanator.api.progress import Progress

START = datetime(2026, 3, 1, tzinfo=UTC)


def job(done: int, total: int = 100, *, seconds: float = 10, **changes: Any) -> dict[str, Any]:
    return {
        "id": 1,
        "accepted": total,
        "succeeded": done,
        "skipped": 0,
        "dead": 0,
        "cancelled": 0,
        "round": 1,
        "started_at": START,
        "sealed_at": START,
        "ended_at": None,
        "paused_at": None,
        "now_at": START + timedelta(seconds=seconds),
        **changes,
    }


def test_the_first_look_tells_the_rate_since_the_start() -> None:
    told = Progress().of(job(50))
    assert told == {"percent": 50.0, "itemsPerSecond": 5.0, "eta": START + timedelta(seconds=20)}


def test_a_look_again_tells_the_rate_of_late() -> None:
    now = 0.0
    progress = Progress(lambda: now)
    progress.of(job(0, seconds=1000))
    now = 2.0
    told = progress.of(job(20, seconds=1002))
    assert told["itemsPerSecond"] == 10.0
    assert told["eta"] == START + timedelta(seconds=1010)
    now = 40.0
    progress.of(job(20, seconds=1040))
    now = 69.0
    told = progress.of(job(20, seconds=1069))
    assert (told["itemsPerSecond"], told["eta"]) == (0.0, None)


def test_nothing_is_known_before_the_start_nor_a_total_before_the_seal() -> None:
    assert Progress().of(job(0, started_at=None, sealed_at=None)) == {
        "percent": None,
        "itemsPerSecond": None,
        "eta": None,
    }
    told = Progress().of(job(50, sealed_at=None))
    assert (told["percent"], told["eta"], told["itemsPerSecond"]) == (None, None, 5.0)


def test_it_is_100_percent_at_the_end_only() -> None:
    assert Progress().of(job(99_999, 100_000))["percent"] == 99.9
    assert Progress().of(job(100))["percent"] == 99.9
    assert Progress().of(job(0, 0))["percent"] is None
    ended = job(0, 0, ended_at=START + timedelta(seconds=1))
    assert Progress().of(ended) == {"percent": 100.0, "itemsPerSecond": 0.0, "eta": None}


def test_a_paused_or_reopened_job_has_no_eta_to_go_by() -> None:
    assert Progress().of(job(50, paused_at=START))["eta"] is None
    assert Progress().of(job(50, round=2)) == {"percent": 50.0, "itemsPerSecond": None, "eta": None}


def test_an_eta_beyond_all_sense_is_none() -> None:
    assert Progress().of(job(1, 10**15, seconds=10**6))["eta"] is None


def test_only_so_many_jobs_are_remembered() -> None:
    progress = Progress()
    for number in range(1500):
        progress.of(job(1, id=number))
    assert len(progress._speeds) == 1000
