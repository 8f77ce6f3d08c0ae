"""What the settings ask to be run by the clock, and under which names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from batchanator.domain.cron import Expression
from batchanator.domain.schedule import OnMissed, Schedule
from batchanator.settings import CronSchedule, ScheduledIngestionJob, Settings
from batchanator.settings.types import time_zone

STALE_JOB_CLEANUP = "StaleJobCleanup"
DEAD_LETTER_RETRY = "DeadLetterRetry"
EXPIRED_LOCK_RELEASE = "ExpiredLockRelease"


@dataclass(frozen=True, slots=True)
class Planned:
    """`ingestion`: what is ingested; None is a maintenance job, which goes by its name."""

    schedule: Schedule
    enabled: bool
    ingestion: ScheduledIngestionJob | None = None


def planned(settings: Settings) -> Sequence[Planned]:
    """Return every scheduled job, disabled ones too; names are unique, and the same at every start."""
    jobs = [
        Planned(_schedule(settings, name, given), given.enabled) for name, given in _maintenance(settings)
    ]
    taken = {job.schedule.name for job in jobs}
    taken |= {given.name for given in settings.scheduled_ingestion_jobs if given.name}
    for given in settings.scheduled_ingestion_jobs:
        name = given.name or _free(given.title, taken)
        taken.add(name)
        schedule = _schedule(
            settings, name, given, zone_name=given.time_zone or settings.time_zone, on_missed=given.on_missed
        )
        jobs.append(Planned(schedule, given.enabled, given))
    return jobs


def _maintenance(settings: Settings) -> Iterator[tuple[str, CronSchedule]]:
    yield STALE_JOB_CLEANUP, settings.maintenance.stale_job_cleanup
    if settings.maintenance.dead_letter_retry is not None:
        yield DEAD_LETTER_RETRY, settings.maintenance.dead_letter_retry
    yield EXPIRED_LOCK_RELEASE, settings.maintenance.expired_lock_release


def _schedule(
    settings: Settings,
    name: str,
    given: CronSchedule | ScheduledIngestionJob,
    *,
    zone_name: str | None = None,
    on_missed: OnMissed = "RunOnce",
) -> Schedule:
    zone_name = zone_name or settings.time_zone
    return Schedule(name, Expression(given.cron_expression), time_zone(zone_name), zone_name, on_missed)


def _free(title: str, taken: set[str]) -> str:
    """Return the title, numbered from the second job that has it: several schedules of one job type are allowed."""
    name, number = title, 1
    while name in taken:
        number += 1
        name = f"{title} #{number}"
    return name
