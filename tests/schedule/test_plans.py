"""From the settings to what is run by the clock: names are unique and stay the same."""

from typing import Any

from batchanator.app.parts import API, EVERYTHING, SCHEDULER
from batchanator.app.schedules import planned
from batchanator.settings import Settings


def names(**settings) -> list[str]:
    return [job.schedule.name for job in planned(Settings(**settings))]


def ingestion(**job: Any) -> dict[str, Any]:
    return {"job_type": "mail", "cron_expression": "0 * * * *", **job}


def test_without_settings_the_two_maintenance_jobs_run_and_dead_letters_are_left_alone() -> None:
    jobs = planned(Settings())
    assert [(job.schedule.name, str(job.schedule.expression), job.enabled) for job in jobs] == [
        ("StaleJobCleanup", "*/5 * * * *", True),
        ("ExpiredLockRelease", "*/2 * * * *", True),
    ]


def test_dead_letters_are_retried_only_where_that_is_set() -> None:
    assert names(maintenance={"dead_letter_retry": {}}) == [
        *("StaleJobCleanup", "DeadLetterRetry", "ExpiredLockRelease")
    ]


def test_jobs_are_named_after_their_source_and_numbered_where_that_is_not_enough() -> None:
    jobs = [
        ingestion(),
        ingestion(),
        ingestion(name="mail #2"),
        ingestion(folder="in"),
        ingestion(file_path="a/b"),
    ]
    assert names(scheduled_ingestion_jobs=jobs)[2:] == ["mail", "mail #3", "mail #2", "mail in", "mail a/b"]


def test_a_job_reads_its_expression_in_its_own_zone_or_the_general_one() -> None:
    jobs = [ingestion(), ingestion(time_zone="America/New_York", on_missed="Skip")]
    found = planned(Settings(scheduled_ingestion_jobs=jobs, time_zone="Europe/Berlin"))
    assert [(job.schedule.zone_name, job.schedule.on_missed) for job in found] == [
        *[("Europe/Berlin", "RunOnce")] * 3,
        ("America/New_York", "Skip"),
    ]


def test_serve_and_scheduler_schedule_and_api_does_not() -> None:
    assert [parts.roles for parts in (EVERYTHING, SCHEDULER, API)] == [
        *["dispatch,ingest,schedule"] * 2,
        "",
    ]
