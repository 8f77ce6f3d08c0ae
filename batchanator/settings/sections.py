"""The sections inside our section."""

import hashlib
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator, model_validator

from batchanator.domain.access import LONGEST_NAME, is_name
from batchanator.settings.types import Cron, OnMissed, Real, Role, Whole, ZoneName, complaint

_SHORTEST_KEY = 32
_LONGEST_TITLE = 200
_MOST_OF_A_NAME = 2


class Section(BaseModel):
    text_is: ClassVar[str | None] = None  # the field that a text in the section's place stands for

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False, hide_input_in_errors=True
    )


class ScheduledIngestionJob(Section):
    """Without FilePath or Folder, the job type's rows of the staging table are ingested."""

    job_type: str = Field(min_length=1, description="The job type to ingest for, from the staging table.")
    cron_expression: Cron = Field(default="0 * * * *", description="When: five fields, as cron has them.")
    enabled: bool = Field(default=True, description="Whether it runs.")
    name: str | None = Field(
        default=None,
        min_length=1,
        max_length=_LONGEST_TITLE,
        description="What it is called in `GET /cron`; by default the job type and the source.",
    )
    file_path: str | None = Field(
        default=None,
        min_length=1,
        description="A file under a source root instead, whenever it is a new one.",
    )
    folder: str | None = Field(
        default=None, min_length=1, description="A folder under a source root instead: files new or changed."
    )
    pattern: str = Field(
        default="*.ndjson", min_length=1, description="Which of the Folder's files, by their names."
    )
    on_missed: OnMissed = Field(
        default="RunOnce",
        description="Of times at which nothing ran: the latest, late (RunOnce), or none (Skip).",
    )
    time_zone: ZoneName | None = Field(
        default=None, description="The zone of its expression; by default the general TimeZone."
    )

    @field_validator("job_type", "name", "file_path", "folder", "pattern")
    @classmethod
    def _printable(cls, value: str | None) -> str | None:
        if value is not None and not value.isprintable():
            raise complaint("must be printable")
        return value

    @field_validator("folder")
    @classmethod
    def _one_source(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("file_path") is not None:
            raise complaint("stands beside FilePath; name one of them")
        return value

    @property
    def title(self) -> str:
        source = self.file_path or self.folder
        return self.name or (f"{self.job_type} {source}" if source else self.job_type)[:_LONGEST_TITLE]


class CronSchedule(Section):
    """When a maintenance job runs. In a file the expression alone, as a text, does as well."""

    text_is: ClassVar[str | None] = "cron_expression"

    cron_expression: Cron = Field(description="When: five fields, as cron has them.")
    enabled: bool = Field(default=True, description="Whether it runs.")


class StaleJobCleanup(CronSchedule):
    cron_expression: Cron = Field(default="*/5 * * * *", description="When: five fields, as cron has them.")


class DeadLetterRetry(CronSchedule):
    cron_expression: Cron = Field(default="0 * * * *", description="When: five fields, as cron has them.")


class ExpiredLockRelease(CronSchedule):
    cron_expression: Cron = Field(default="*/2 * * * *", description="When: five fields, as cron has them.")


class Maintenance(Section):
    stale_job_cleanup: StaleJobCleanup = Field(
        default=StaleJobCleanup(),
        description="When jobs are ended that nobody has ingested for 24 hours.",
    )
    dead_letter_retry: DeadLetterRetry | None = Field(
        default=None, description="When dead letters get another attempt; only where it is set."
    )
    expired_lock_release: ExpiredLockRelease = Field(
        default=ExpiredLockRelease(),
        description="When slices of lost workers are freed, as a backstop: workers do it all the time.",
    )


class JobTypeSettings(Section):
    """What a job type needs whose handler is written in another language and so cannot say it itself."""

    slice_size: Whole | None = Field(
        default=None, ge=1, le=10_000, description="Items in a slice of this type."
    )
    timeout_seconds: Real | None = Field(
        default=None, gt=0, le=604_800, description="How long an attempt may take; by default the lease."
    )
    max_attempts: Whole | None = Field(
        default=None, ge=1, le=1000, description="Attempts before an item of this type is a dead letter."
    )
    max_retry_delay_seconds: Real | None = Field(
        default=None, gt=0, le=2_592_000, description="The longest wait between two attempts."
    )
    retry_jitter: bool | None = Field(
        default=None, description="Whether waits are drawn at random up to the full."
    )


class ApiKey(Section):
    """A key that callers send as a bearer token. Only its digest is kept; a text alone is an admin's key."""

    name: str = Field(default="", description="What its holder is called in logs and in `/actions`.")
    key: SecretStr | None = Field(
        default=None,
        repr=False,
        description="The key itself, at least 32 characters; only its digest is kept.",
    )
    sha256: str = Field(
        default="", repr=False, description="The key's SHA-256 in hexadecimal, so that no file holds the key."
    )
    roles: tuple[Role, ...] = Field(
        min_length=1, description="What its holder may do: read, submit, operate, process, admin."
    )
    job_types: tuple[str, ...] = Field(
        default=(), description="The job types it is limited to; none means all."
    )

    @model_validator(mode="before")
    @classmethod
    def _digest(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = {"key": value, "roles": ("admin",)}
        if not isinstance(value, dict):
            return value
        value = dict(value)
        key = value.pop("key", None)
        if isinstance(key, str):
            if len(key) < _SHORTEST_KEY or "sha256" in value:
                raise complaint(
                    f"must have a Key of at least {_SHORTEST_KEY} characters, or a Sha256, not both"
                )
            value["sha256"] = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
        if not value.get("name"):
            value["name"] = f"key-{_bare(value.get('sha256'))[:8]}"
        return value

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if not is_name(name):
            raise complaint(f"must have 1 to {LONGEST_NAME} printable characters and no colon")
        return name

    @field_validator("sha256")
    @classmethod
    def _hexadecimal(cls, value: str) -> str:
        digest = _bare(value)
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise complaint("must have a Key, or a Sha256 of 64 hexadecimal digits")
        return digest


def _bare(digest: object) -> str:
    return str(digest).strip().lower().removeprefix("sha256:")


def check_distinct(keys: Sequence[ApiKey]) -> None:
    """Refuse a key that stands twice, and more than two of one name: the second is for changing to."""
    if len({key.sha256 for key in keys}) < len(keys):
        raise complaint("hold one key twice")
    by_name: dict[str, list[ApiKey]] = {}
    for key in keys:
        by_name.setdefault(key.name, []).append(key)
    for name, own in by_name.items():
        if len(own) > _MOST_OF_A_NAME:
            raise complaint(
                f"hold {len(own)} keys called {name!r}; two are enough to change from one to the other"
            )
        if len({(frozenset(key.roles), frozenset(key.job_types)) for key in own}) > 1:
            raise complaint(
                f"hold two keys called {name!r} with other Roles or JobTypes; give them two names"
            )
