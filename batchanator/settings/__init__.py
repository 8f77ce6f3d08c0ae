"""The settings of a process, read once: only `cli` and `app` import this package."""

from batchanator.settings.describing import DocumentedSetting, describe, documented_settings
from batchanator.settings.exposure import check_bind, open_to, source_roots
from batchanator.settings.model import Settings
from batchanator.settings.reading import load_settings
from batchanator.settings.sections import (
    ApiKey,
    CronSchedule,
    JobTypeSettings,
    Maintenance,
    ScheduledIngestionJob,
)

__all__ = [
    "ApiKey",
    "CronSchedule",
    "DocumentedSetting",
    "JobTypeSettings",
    "Maintenance",
    "ScheduledIngestionJob",
    "Settings",
    "check_bind",
    "describe",
    "documented_settings",
    "load_settings",
    "open_to",
    "source_roots",
]
