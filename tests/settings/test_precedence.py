"""The command line wins over the environment, the environment over the file, the file over the defaults."""

import pytest

FILE = """{"Batchanator": {"ChunkSize": 1, "MaxAttempts": 1, "MaxCrashes": 1, "Handlers": ["a", "b"],
  "Maintenance": {"StaleJobCleanup": "1 * * * *"}, "JobTypes": {"mail": {"SliceSize": 1, "MaxAttempts": 2}}}}"""


def test_each_layer_wins_over_the_one_below(load):
    environ = {"BATCHANATOR_CHUNK_SIZE": "2", "Batchanator__MaxAttempts": "2"}
    settings = load(FILE, environ=environ, chunk_size=3)
    assert (settings.chunk_size, settings.max_attempts, settings.max_crashes) == (3, 2, 1)
    assert settings.processing_batch_size == 50


@pytest.mark.parametrize(
    "variable",
    ["BATCHANATOR_CHUNK_SIZE", "Batchanator__ChunkSize", "BATCHANATOR__CHUNKSIZE", "batchanator_chunk_size"],
)
def test_a_variable_is_found_in_either_spelling(load, variable):
    assert load(environ={variable: "7"}).chunk_size == 7


def test_a_variable_reaches_into_sections_and_leaves_their_neighbours(load):
    environ = {
        "Batchanator__Maintenance__StaleJobCleanup__Enabled": "false",
        "BATCHANATOR_MAINTENANCE__DEAD_LETTER_RETRY__CRON_EXPRESSION": "2 * * * *",
        "BATCHANATOR_JOB_TYPES__MAIL__SLICE_SIZE": "9",
        "Batchanator__ScheduledIngestionJobs__0__JobType": "data-sync",
    }
    settings = load(FILE, environ=environ)
    stale, retry = settings.maintenance.stale_job_cleanup, settings.maintenance.dead_letter_retry
    assert (stale.cron_expression, stale.enabled) == ("1 * * * *", False)
    assert retry is not None
    assert retry.cron_expression == "2 * * * *"
    assert (settings.job_types["mail"].slice_size, settings.job_types["mail"].max_attempts) == (9, 2)
    assert settings.scheduled_ingestion_jobs[0].job_type == "data-sync"


@pytest.mark.parametrize(
    ("environ", "handlers"),
    [
        ({"BATCHANATOR_HANDLERS": "c"}, ("c",)),
        ({"BATCHANATOR_HANDLERS": "c, d ,"}, ("c", "d")),
        ({"Batchanator__Handlers__1": "c"}, ("a", "c")),
        ({"Batchanator__Handlers__5": "c"}, ("a", "b", "c")),
        ({"BATCHANATOR_HANDLERS": ""}, ("a", "b")),
    ],
)
def test_a_list_is_replaced_as_a_whole_or_by_element(load, environ, handlers):
    assert load(FILE, environ=environ).handlers == handlers


def test_a_repeated_option_replaces_the_list(load):
    assert load(FILE, environ={"BATCHANATOR_HANDLERS": "c"}, handlers=("d",)).handlers == ("d",)
    assert load(FILE, handlers=(), port=None).handlers == ("a", "b")


def test_the_connection_string_comes_from_the_environment_too(load):
    file = """{"Batchanator": {"DatabaseProvider": "Postgres"},
      "ConnectionStrings": {"DefaultConnection": "Host=localhost;Database=file"}}"""
    assert load(file).database_url == "postgresql://localhost/file"
    environ = {"ConnectionStrings__DefaultConnection": "Host=localhost;Database=environment"}
    assert load(file, environ=environ).database_url == "postgresql://localhost/environment"
    assert load(file, environ=environ, database_url="sqlite:////x.db").database_url == "sqlite:////x.db"


def test_variables_that_are_not_ours_are_passed_over(load):
    kubernetes = {
        "BATCHANATOR_PORT": "tcp://10.0.0.1:5000",
        "BATCHANATOR_PORT_5000_TCP": "tcp://10.0.0.1:5000",
        "BATCHANATOR_PORT_5000_TCP_ADDR": "10.0.0.1",
        "BATCHANATOR_SERVICE_HOST": "10.0.0.1",
        "BATCHANATOR_SERVICE_PORT_HTTP": "5000",
        "BATCHANATOR_API_PORT": "tcp://10.0.0.1:5000",
        "BATCHANATOR_API_SERVICE_HOST": "10.0.0.1",
    }
    others = {
        "BATCHANATOR_TEST_SQLSERVER": "x",
        "BATCHANATORS_CHUNK_SIZE": "x",
        "PATH": "x",
        "DATABASE_URL": "x",
    }
    assert load(environ=kubernetes | others) == load()


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        (
            {"BATCHANATOR_CHUNK_SISE": "3"},
            "unknown setting BATCHANATOR_CHUNK_SISE; the nearest known one is ChunkSize",
        ),
        ({"BATCHANATOR_CHUNK_SIZE": "x"}, "BATCHANATOR_CHUNK_SIZE must be a whole number, not 'x'"),
        (
            {"BATCHANATOR_CHUNK_SIZE": "1", "Batchanator__ChunkSize": "2"},
            "Batchanator__ChunkSize names again",
        ),
        ({"BATCHANATOR_STRICT": "1", "BATCHANATOR__STRICT": "1"}, "names again what BATCHANATOR"),
        ({"BATCHANATOR_MAINTENANCE": "x", "BATCHANATOR_MAINTENANCE__STALE": "x"}, "BATCHANATOR_MAINTENANCE"),
        ({"Batchanator__Handlers__x": "3"}, "Batchanator__Handlers__x must be a list"),
        ({"BATCHANATOR_API_KEYS": "short"}, "BATCHANATOR_API_KEYS must have a Key of at least 32 characters"),
    ],
)
def test_a_wrong_variable_is_refused_by_its_own_name(refusal, environ, problem):
    line = refusal(environ=environ)
    assert line.startswith("environment: ")
    assert problem in line


def test_a_wrong_option_is_refused_by_the_settings_name(refusal):
    assert refusal(chunk_size=0) == "command line: ChunkSize must be at least 1, not 0"
    assert refusal(database_url="oracle://x").startswith("command line: DatabaseUrl must begin with")


def test_relative_paths_are_taken_from_the_working_directory(load, tmp_path):
    file = '{"Batchanator": {"SqlitePath": "data/b.db", "SourceRoots": ["in"], "LockDirectory": "locks"}}'
    settings = load(file)
    assert settings.database_url == f"sqlite:///{(tmp_path / 'data' / 'b.db').as_posix()}"
    assert (settings.source_roots, settings.lock_directory) == ((tmp_path / "in",), tmp_path / "locks")
    assert (
        load(file, database_url="sqlite:///c.db").database_url
        == f"sqlite:///{(tmp_path / 'c.db').as_posix()}"
    )
