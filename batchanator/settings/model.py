"""The settings of a process: the fields, what holds between them, and what follows from them."""

from datetime import timedelta, tzinfo
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationInfo, field_validator, model_validator

from batchanator.settings.database import (
    connection_url,
    is_address,
    is_loopback,
    normal_url,
    sqlite_url,
    sqlserver_connection_url,
)
from batchanator.settings.fields import pascal
from batchanator.settings.sections import ApiKey, Maintenance, ScheduledIngestionJob, check_distinct
from batchanator.settings.settings_fields import SettingsFields
from batchanator.settings.types import complaint, time_zone

_PROVIDER = "database_provider"
_BEAT = timedelta(seconds=30)


class Settings(SettingsFields):
    """The settings of one process, checked and complete.

    Durations are numbers in the unit that their name ends in; the properties give them as timedelta.
    """

    @field_validator("database")
    @classmethod
    def _url(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None:
            return None
        cwd = info.context["cwd"] if info.context else Path()
        try:
            return SecretStr(normal_url(value.get_secret_value().strip(), cwd))
        except ValueError as error:
            raise complaint(str(error)) from None

    @field_validator("api_base_url")
    @classmethod
    def _http(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            raise complaint("must be an address like http://localhost:5000") from None
        if not sound or parts.query or parts.fragment or parts.username is not None:
            raise complaint(
                "must be an address like http://localhost:5000, without a user, query or fragment"
            )
        return value.rstrip("/")

    @field_validator("host")
    @classmethod
    def _bare_host(cls, value: str) -> str:
        if not value or set(value) & set("/@?# []") or (":" in value and not is_address(value)):
            raise complaint(f"must be an address or a name, without scheme or port, not {value!r}")
        return value

    @field_validator("heartbeat_seconds")
    @classmethod
    def _beats(cls, value: float | None, info: ValidationInfo) -> float | None:
        lease = info.data.get("lock_timeout_minutes")
        if value is not None and lease is not None and value > lease * 20:
            raise complaint(f"must be at most {lease * 20:g}, a third of the lease, not {value:g}")
        return value

    @field_validator("api_keys")
    @classmethod
    def _distinct_keys(cls, keys: tuple[ApiKey, ...]) -> tuple[ApiKey, ...]:
        check_distinct(keys)
        return keys

    @field_validator("scheduled_ingestion_jobs")
    @classmethod
    def _own_names(cls, jobs: tuple[ScheduledIngestionJob, ...]) -> tuple[ScheduledIngestionJob, ...]:
        names = [pascal(name) for name in Maintenance.model_fields]
        for job in jobs:
            if job.name in names:
                raise complaint(f"gives the Name {job.name!r} twice: runs are told apart by it")
            names += [job.name] if job.name else []
        return jobs

    @model_validator(mode="after")
    def _one_database(self) -> "Settings":
        _ = self.database_url
        return self

    @property
    def database_url(self) -> str:
        """The database, with its password: `postgresql://…`, `mssql://…`, or `sqlite:///` and a path, not escaped."""
        if self.database is not None:
            return self.database.get_secret_value()
        connection = self.connection_string.get_secret_value() if self.connection_string else ""
        is_url = connection.startswith(("postgresql:", "postgres:"))
        # Beside a chosen Sqlite a connection string is idle, as in .NET; a URL where none is chosen is meant.
        if self.database_provider == "Sqlite" and (
            "database_provider" in self.model_fields_set or not is_url
        ):
            return sqlite_url(self.sqlite_path, Path())
        if not connection:
            raise complaint(
                f"is {self.database_provider}: it needs DatabaseUrl or ConnectionStrings.DefaultConnection",
                _PROVIDER,
            )
        try:
            if self.database_provider == "SqlServer":
                return sqlserver_connection_url(connection)
            return connection_url(connection)
        except ValueError as error:
            raise complaint(str(error), "connection_string") from None

    @property
    def lease(self) -> timedelta:
        return timedelta(minutes=self.lock_timeout_minutes)

    @property
    def heartbeat(self) -> timedelta:
        if self.heartbeat_seconds is None:
            return min(self.lease / 3, _BEAT)
        return timedelta(seconds=self.heartbeat_seconds)

    @property
    def poll(self) -> timedelta:
        return timedelta(seconds=self.polling_interval_seconds)

    @property
    def shutdown_grace(self) -> timedelta:
        return timedelta(seconds=self.shutdown_grace_seconds)

    @property
    def max_retry_delay(self) -> timedelta:
        return timedelta(seconds=self.max_retry_delay_seconds)

    @property
    def zone(self) -> tzinfo:
        return time_zone(self.time_zone)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach what listens on `host`."""
        return is_loopback(self.host)
