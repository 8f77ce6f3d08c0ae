"""Every setting in one place. The descriptions are the documentation: docs/configuration.md holds them."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, SecretStr

from batchanator.settings.sections import ApiKey, JobTypeSettings, Maintenance, ScheduledIngestionJob, Section
from batchanator.settings.types import (
    LogFormat,
    LogLevel,
    OnDuplicate,
    PathHere,
    Provider,
    Real,
    Requests,
    Whole,
    ZoneName,
)


class SettingsFields(Section):
    database_provider: Provider = Field(
        default="Sqlite",
        description="The kind of database, where no DatabaseUrl says it.",
    )
    sqlite_path: PathHere = Field(
        default=Path("batchanator.db"), description="The SQLite file; relative to the working directory."
    )
    database: SecretStr | None = Field(
        default=None,
        json_schema_extra={"name": "DatabaseUrl"},
        description="The database as one URL, before all else: `sqlite:///file.db`, `postgresql://…` or `mssql://…`.",
    )
    connection_string: SecretStr | None = Field(
        default=None,
        json_schema_extra={"name": "ConnectionStrings.DefaultConnection"},
        description="Beside our section. For Postgres and SqlServer: a URL, or the words that .NET writes there.",
    )
    lock_directory: PathHere | None = Field(
        default=None, description="Where lock files of SQLite's workers lie; by default beside the database."
    )
    chunk_size: Whole = Field(default=1000, ge=1, le=100_000, description="Lines in a batch.")
    max_attempts: Whole = Field(
        default=5, ge=1, le=1000, description="Attempts before an item is a dead letter."
    )
    max_concurrency_per_worker: Whole = Field(
        default=10, ge=1, le=10_000, description="Items that one worker runs at a time."
    )
    handler_processes: Whole | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="Child processes for `cpu_bound` handlers; by default one for each processor.",
    )
    polling_interval_seconds: Real = Field(
        default=5.0, gt=0, le=3600, description="How often a worker looks for work when nothing wakes it."
    )
    lock_timeout_minutes: Real = Field(
        default=5.0,
        gt=0,
        le=1440,
        description="The lease of a worker, and how long an attempt may take by default.",
    )
    processing_batch_size: Whole = Field(
        default=50, ge=1, le=10_000, description="Items in a slice, which is claimed and settled at once."
    )
    api_base_url: str = Field(
        default="http://localhost:5000", description="Where `scheduler` sends work: the address of `api`."
    )
    api_requests: Requests = Field(
        default="item",
        description="What a request of `scheduler` carries: an item (`/process`), or a slice (`/process/batch`).",
    )
    api_key: SecretStr | None = Field(
        default=None, repr=False, description="The bearer key that `scheduler` sends to `ApiBaseUrl`."
    )
    scheduled_ingestion_jobs: tuple[ScheduledIngestionJob, ...] = Field(
        default=(), description="What is ingested by the clock: the staging table, a file, a folder."
    )
    maintenance: Maintenance = Field(default=Maintenance(), description="When the maintenance jobs run.")
    handlers: tuple[str, ...] = Field(default=(), description="The modules that hold the handlers.")
    host: str = Field(
        default="127.0.0.1",
        description="The address to listen on; any but a loopback needs ApiKeys or AllowAnonymous.",
    )
    port: Whole | None = Field(
        default=None,
        ge=0,
        le=65_535,
        description="The port to listen on; by default 5000 for the API, 5001 for the scheduler.",
    )
    source_roots: tuple[PathHere, ...] | None = Field(
        default=None,
        description="Directories whose files may be triggered; by default the working one, on a loopback.",
    )
    api_keys: tuple[ApiKey, ...] = Field(
        default=(),
        repr=False,
        description="The keys of which callers need one; without any, a loopback is open to its machine.",
    )
    allow_anonymous: bool = Field(
        default=False,
        description="Let everybody do everything, on any address and under any name; not beside ApiKeys.",
    )
    max_crashes: Whole = Field(
        default=2,
        ge=1,
        le=100,
        description="Workers that an item may take with it before it is a dead letter.",
    )
    max_retry_delay_seconds: Real = Field(
        default=3600.0, gt=0, le=2_592_000, description="The longest wait between two attempts."
    )
    retry_jitter: bool = Field(default=False, description="Whether waits are drawn at random up to the full.")
    heartbeat_seconds: Real | None = Field(
        default=None,
        gt=0,
        description="How often a worker renews its lease; by default 30, and a third of the lease at most.",
    )
    shutdown_grace_seconds: Real = Field(
        default=30.0,
        ge=0,
        le=86_400,
        description="How long running items may go on after a stop was asked for.",
    )
    on_duplicate: OnDuplicate = Field(
        default="skip",
        description="A line whose key is taken: skip, redrive dead letters too, or never take a key over.",
    )
    strict: bool = Field(
        default=False, description="Whether one rejected line fails its job before anything ran."
    )
    job_types: Mapping[str, JobTypeSettings] = Field(
        default={}, description="Job types whose handlers are written in another language, by name."
    )
    time_zone: ZoneName = Field(default="UTC", description="The zone in which cron expressions are read.")
    max_items_per_request: Whole = Field(
        default=10_000, ge=1, le=1_000_000, description="Direct items in one request."
    )
    max_request_bytes: Whole = Field(
        default=16 * 1024 * 1024, ge=1024, le=1024**3, description="Bytes of one request, uploads excepted."
    )
    max_line_bytes: Whole = Field(
        default=1024 * 1024,
        ge=64,
        le=64 * 1024 * 1024,
        description="Bytes of one line; a longer one is a reject.",
    )
    log_format: LogFormat = Field(
        default="auto",
        description="The form of the log on stderr; auto is console on a terminal, json elsewhere.",
    )
    log_level: LogLevel = Field(default="info", description="The lowest level that is logged.")
    tracing: bool = Field(
        default=False, description="Spans by OpenTelemetry, which needs `batchanator[otel]`."
    )
