"""A wrong value or an unknown name is one line that says where it stands and what is wrong."""

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest

from batchanator.settings import Settings

KEY = "k" * 43

WRONG = [
    ('"ChunkSise": 3', "unknown setting ChunkSise; the nearest known one is ChunkSize"),
    ('"MaxAttempt": 3', "the nearest known one is MaxAttempts"),
    (
        '"Maintenance": {"DeadLeterRetry": 1}',
        "Maintenance.DeadLeterRetry; the nearest known one is DeadLetterRetry",
    ),
    (
        '"ScheduledIngestionJobs": [{"JobTyp": "x"}]',
        "ScheduledIngestionJobs[0].JobTyp; the nearest known one is JobType",
    ),
    ('"JobTypes": {"a.b": {"SliceSise": 1}}', "JobTypes.a.b.SliceSise; the nearest known one is SliceSize"),
    ('"chunk\\nsize\\u202e": 1', "unknown setting chunk"),
    ('"chunksize": "many"', "chunksize must be a whole number, not 'many'"),
    ('"ChunkSize": 0', "ChunkSize must be at least 1, not 0"),
    ('"ChunkSize": 100001', "ChunkSize must be at most 100000, not 100001"),
    ('"ChunkSize": 1.5', "ChunkSize must be a whole number"),
    ('"ChunkSize": true', "ChunkSize must be a number, not true or false"),
    ('"ChunkSize": {}', "ChunkSize must be a whole number"),
    ('"ChunkSize": 1, "chunk_size": 2', "chunk_size names again what ChunkSize sets"),
    ('"LockTimeoutMinutes": 0', "LockTimeoutMinutes must be greater than 0"),
    ('"LockTimeoutMinutes": "nan"', "LockTimeoutMinutes must be a finite number"),
    ('"LockTimeoutMinutes": 1e308', "LockTimeoutMinutes must be at most 1440"),
    ('"HeartbeatSeconds": 101', "HeartbeatSeconds must be at most 100, a third of the lease, not 101"),
    ('"Port": 65536', "Port must be at most 65535"),
    ('"Port": -1', "Port must be at least 0"),
    ('"Host": "http://0.0.0.0"', "Host must be an address or a name"),
    ('"Host": "0.0.0.0:80"', "Host must be an address or a name"),
    ('"Strict": "maybe"', "Strict must be a valid boolean"),
    ('"OnDuplicate": "ignore"', "OnDuplicate must be 'skip', 'redrive' or 'never', not 'ignore'"),
    (
        '"DatabaseProvider": "Oracle"',
        "DatabaseProvider must be 'Sqlite', 'Postgres' or 'SqlServer', not 'Oracle'",
    ),
    (
        '"DatabaseProvider": "Postgres"',
        "DatabaseProvider is Postgres: it needs DatabaseUrl or ConnectionStrings",
    ),
    ('"DatabaseUrl": "mysql://h/d"', "DatabaseUrl must begin with sqlite:///, postgresql:// or mssql://"),
    ('"DatabaseUrl": "sqlite:///:memory:"', "DatabaseUrl must name a file"),
    (
        '"TimeZone": "Mars/Olympus"',
        "TimeZone must be a time zone like UTC or Europe/Berlin, not 'Mars/Olympus'",
    ),
    ('"TimeZone": "../../etc/passwd"', "TimeZone must be a time zone"),
    ('"TimeZone": "Europe"', "TimeZone must be a time zone"),
    (
        '"Maintenance": {"DeadLetterRetry": "0 0 * * * *"}',
        "Maintenance.DeadLetterRetry must have five fields",
    ),
    (
        '"Maintenance": {"StaleJobCleanup": {"CronExpression": "0 0 30 2 *"}}',
        "Maintenance.StaleJobCleanup.CronExpression has a day of month that is wrong or never comes",
    ),
    (
        '"ScheduledIngestionJobs": [{"JobType": "x", "CronExpression": "0 0 L * *"}]',
        "ScheduledIngestionJobs[0].CronExpression has a day of month that is no part of cron: 'L'",
    ),
    (
        '"ScheduledIngestionJobs": [{"JobType": "a\\u0000b"}]',
        "ScheduledIngestionJobs[0].JobType must be printable",
    ),
    (
        '"ScheduledIngestionJobs": [{"JobType": "x", "OnMissed": "Later"}]',
        "ScheduledIngestionJobs[0].OnMissed must be 'RunOnce' or 'Skip', not 'Later'",
    ),
    (
        '"ScheduledIngestionJobs": [{"JobType": "x", "FilePath": "a", "Folder": "b"}]',
        "ScheduledIngestionJobs[0].Folder stands beside FilePath",
    ),
    (
        '"ScheduledIngestionJobs": [{"JobType": "x", "Name": "a"}, {"JobType": "y", "Name": "a"}]',
        "ScheduledIngestionJobs gives the Name 'a' twice",
    ),
    (
        '"ScheduledIngestionJobs": [{"JobType": "x", "Name": "DeadLetterRetry"}]',
        "ScheduledIngestionJobs gives the Name 'DeadLetterRetry' twice",
    ),
    (
        '"ScheduledIngestionJobs": [{"JobType": "x", "TimeZone": "Mars/Olympus"}]',
        "ScheduledIngestionJobs[0].TimeZone must be a time zone",
    ),
    ('"Maintenance": []', "Maintenance must be a section"),
    ('"ScheduledIngestionJobs": [{"Enabled": true}]', "ScheduledIngestionJobs[0] has no JobType"),
    ('"Handlers": "a,b"', "Handlers must be a list, not 'a,b'"),
    ('"JobTypes": [1]', "JobTypes must be a section"),
    ('"JobTypes": {"x": {"SliceSize": 0}}', "JobTypes.x.SliceSize must be at least 1, not 0"),
    ('"ApiBaseUrl": "localhost:5000"', "ApiBaseUrl must be an address like http://localhost:5000"),
    (
        '"ApiBaseUrl": "http://u:p@h"',
        "ApiBaseUrl must be an address like http://localhost:5000, without a user",
    ),
    ('"ApiBaseUrl": "http://h:99999"', "ApiBaseUrl must be an address like http://localhost:5000"),
    ('"ApiKeys": [3]', "ApiKeys[0] must be a section"),
    ('"ApiKeys": ["short"]', "ApiKeys[0] must have a Key of at least 32 characters"),
    (f'"ApiKeys": [{{"Key": "{KEY}"}}]', "ApiKeys[0] has no Roles"),
    (f'"ApiKeys": [{{"Key": "{KEY}", "Roles": ["root"]}}]', "ApiKeys[0].Roles[0] must be 'read', 'submit'"),
    ('"ApiKeys": [{"Sha256": "abc", "Roles": ["read"]}]', "ApiKeys[0].Sha256 must have a Key, or a Sha256"),
    ('"SqlitePath": "a\\u0000b"', "SqlitePath holds a NUL character"),
]


@pytest.mark.parametrize(("text", "problem"), WRONG)
def test_a_wrong_setting_is_refused_by_name_with_its_line(refusal, text, problem):
    line = refusal('{\n"Batchanator": {\n' + text + "\n}}")
    assert line.startswith("batchanator.json line 3: ")
    assert problem in line


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("chunk_size = 0", "batchanator.toml line 2: chunk_size must be at least 1"),
        ("\n[batchanator.maintenance]\nstale_job_clean = 1", "batchanator.toml line 4: unknown setting"),
        (
            "[[batchanator.scheduled_ingestion_jobs]]\njob_type = 'x'\nenabled = 'x'",
            "batchanator.toml line 4: ",
        ),
        ("maintenance = {dead_letter_retry = 'x'}", "batchanator.toml line 2: maintenance.dead_letter_retry"),
    ],
)
def test_a_wrong_setting_in_toml_is_refused_with_its_line_too(refusal, text, problem):
    assert problem in refusal("[batchanator]\n" + text + "\n", name="batchanator.toml")


def test_a_wrong_database_is_refused_where_it_stands(refusal):
    file = '{"Batchanator": {"DatabaseProvider": "Postgres"},\n"ConnectionStrings": {"DefaultConnection": "Hots=x"}}'
    line = refusal(file)
    assert line.startswith(
        "batchanator.json line 2: ConnectionStrings.DefaultConnection has the unknown word"
    )
    assert 'the nearest known one is "Host"' in line


def test_a_wrong_value_is_cut_and_never_a_secret(refusal):
    assert len(refusal('{"Batchanator": {"ChunkSize": "' + "x" * 5000 + '"}}')) < 200
    for text in (
        '"DatabaseUrl": "mysql://u:canary@h/d"',
        '"DatabaseUrl": ["canary"]',
        '"ApiKeys": ["canary"]',
        '"ApiKeys": [{"Key": ["canary"], "Roles": ["read"]}]',
        '"ApiKeys": {"canary": "canary"}',
    ):
        assert "canary" not in refusal('{"Batchanator": {' + text + "}}").replace("ApiKeys.canary", "")


def test_durations_are_timedeltas_and_take_fractions(load):
    settings = load(lock_timeout_minutes=0.05, polling_interval_seconds=0.2, heartbeat_seconds=0.5)
    assert settings.lease == timedelta(seconds=3)
    assert settings.heartbeat == timedelta(seconds=0.5)
    assert settings.poll == timedelta(seconds=0.2)
    assert settings.shutdown_grace == timedelta(seconds=30)
    assert settings.max_retry_delay == timedelta(hours=1)


@pytest.mark.parametrize(("minutes", "seconds"), [(0.05, 1), (1, 20), (5, 30), (60, 30)])
def test_a_heartbeat_comes_at_least_three_times_a_lease(minutes, seconds):
    assert Settings(lock_timeout_minutes=minutes).heartbeat == timedelta(seconds=seconds)


def test_a_heartbeat_of_a_third_of_a_fractional_lease_is_no_error(load):
    assert load(lock_timeout_minutes=0.05, heartbeat_seconds=1).heartbeat == timedelta(seconds=1)


def test_zones_are_found_by_name(load):
    assert load().zone is UTC
    assert load(time_zone="Europe/Berlin").zone == ZoneInfo("Europe/Berlin")


def test_settings_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        Settings().chunk_size = 3  # type: ignore[misc]
