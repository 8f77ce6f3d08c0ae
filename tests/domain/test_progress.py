"""Progress as it is shown: rates of the last seconds, and nothing that is done before it is."""

from datetime import timedelta

import pytest

from batchanator.domain.progress import Meter, Speed, permille, time_left


def job(**changes: object) -> dict[str, object]:
    names = ("lines", "accepted", "succeeded", "skipped", "dead", "cancelled", "source_position")
    row: dict[str, object] = dict.fromkeys(names, 0)
    return {**row, "source_size": 100, "sealed_at": None, "paused_at": None, "ended_at": None, **changes}


def test_the_rate_is_of_the_last_seconds_only():
    meter = Meter()
    meter.read(job(accepted=1000), at=0)
    meter.read(job(accepted=1000, succeeded=900), at=100)
    assert meter.read(job(accepted=1000, succeeded=910), at=105).items_per_second == 2.0


def test_until_the_source_is_read_the_number_of_items_is_a_guess_and_never_done():
    progress = Meter().read(job(accepted=10, succeeded=10, source_position=10), at=0)
    assert (progress.items, progress.is_estimate, progress.part) == (100, True, 0.1)
    nearly = Meter().read(job(accepted=10, succeeded=10, source_position=100), at=0)
    assert nearly.part is not None
    assert nearly.part < 1


def test_a_source_of_unknown_size_has_no_percentage():
    progress = Meter().read(job(accepted=10, source_size=None), at=0)
    assert (progress.read, progress.items, progress.part, progress.eta) == (None, None, None, None)


def test_a_paused_job_has_no_end_in_sight():
    meter = Meter()
    meter.read(job(accepted=100, sealed_at="now"), at=0)
    running = meter.read(job(accepted=100, succeeded=10, sealed_at="now"), at=1)
    assert running.eta is not None
    assert running.eta.total_seconds() == pytest.approx(9)
    paused = meter.read(job(accepted=100, succeeded=10, sealed_at="now", paused_at="now"), at=2)
    assert paused.eta is None


def test_a_job_is_done_when_it_has_ended_and_not_before():
    assert Meter().read(job(sealed_at="now", ended_at="now"), at=0).part == 1
    nearly = job(sealed_at="now", accepted=5, succeeded=2, skipped=1, dead=1, cancelled=1)
    assert Meter().read(nearly, at=0).part == 0.999
    assert permille(nearly, None) is None
    assert permille(job(), 0) == 0


def test_a_speed_is_unknown_until_there_is_something_to_compare_with():
    speed = Speed(window=30, least=1)
    assert speed.read(0, at=0) is None
    assert speed.read(5, at=0.5) is None
    assert speed.read(10, at=2) == 5
    fallen = Speed(window=10)
    assert fallen.read(9, at=0) is None
    assert fallen.read(4, at=1) == 0, "a count falls where dead letters are replayed"


def test_readings_that_come_thick_and_fast_are_not_all_kept():
    speed = Speed(window=30, least=1)
    for n in range(10_000):
        speed.read(n, at=n / 1000)
    assert len(speed._readings) == 10


def test_an_end_beyond_all_sense_is_none():
    assert time_left(job(), 10**15, 1.0) is None
    assert time_left(job(), 10, 0.0) is None
    assert time_left(job(succeeded=20), 10, 1.0) == timedelta(0)
