"""Files are read as people wrote them for .NET, or in TOML."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from batchanator.domain.errors import SettingsError
from batchanator.settings import load_settings

SEED = """{
  "Batchanator": {
    "DatabaseProvider": "Sqlite",
    "SqlitePath": "batchanator.db",
    "ChunkSize": 1000,
    "MaxAttempts": 5,
    "MaxConcurrencyPerWorker": 10,
    "PollingIntervalSeconds": 5,
    "LockTimeoutMinutes": 5
  }
}"""

AS_DOTNET_WRITES_IT = """\ufeff// the scheduler's settings
{
  "Logging": { "LogLevel": { "Default": "Information", }, },
  "AllowedHosts": "*",
  /* ours,
     over two lines // and this is still a comment */
  "batchanator": {
    "databaseprovider": "sqlite",
    "chunksize": "250",
    "MAXATTEMPTS": 7, // seven
    "Strict": "True",
    "LockTimeoutMinutes": "0.5",
    "ApiBaseUrl": "http://localhost:5000/", // not a comment inside the text
    "PollingIntervalSeconds": null,
    "ScheduledIngestionJobs": [
      { "JobType": "data-sync", "CronExpression": "0 * * * *" },
      { "jobtype": "email-notification", "Enabled": "false", },
    ],
    "Maintenance": { "StaleJobCleanup": "*/10 * * * *", "DeadLetterRetry": { "CronExpression": "0 * * * *" } },
  },
  "ConnectionStrings": {
    "DefaultConnection": "Server=localhost;Database=Batchanator;Trusted_Connection=True;TrustServerCertificate=True;"
  },
}
"""


def test_the_seeds_configuration_works_as_it_is(load, tmp_path):
    settings = load(SEED)
    assert settings.database_url == f"sqlite:///{(tmp_path / 'batchanator.db').as_posix()}"
    assert (settings.chunk_size, settings.max_attempts, settings.max_concurrency_per_worker) == (1000, 5, 10)
    assert (settings.poll, settings.lease) == (timedelta(seconds=5), timedelta(minutes=5))
    assert settings == load_settings(cwd=tmp_path, environ={}, overrides={})


def test_no_file_means_the_defaults(load):
    settings = load()
    assert (settings.processing_batch_size, settings.port, settings.host) == (50, None, "127.0.0.1")
    assert (settings.max_request_bytes, settings.max_line_bytes) == (16 * 2**20, 2**20)
    assert settings.maintenance.dead_letter_retry is None
    assert settings.maintenance.expired_lock_release.cron_expression == "*/2 * * * *"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_file_as_dotnet_writes_it_is_read_as_dotnet_reads_it(load, encoding):
    settings = load(AS_DOTNET_WRITES_IT.encode(encoding))
    assert (settings.chunk_size, settings.max_attempts, settings.strict) == (250, 7, True)
    assert settings.lease == timedelta(seconds=30)
    assert settings.poll == timedelta(seconds=5)
    assert settings.api_base_url == "http://localhost:5000"
    assert [(job.job_type, job.enabled) for job in settings.scheduled_ingestion_jobs] == [
        ("data-sync", True),
        ("email-notification", False),
    ]
    assert settings.maintenance.stale_job_cleanup.cron_expression == "*/10 * * * *"
    assert settings.maintenance.dead_letter_retry is not None
    assert settings.database_url.startswith("sqlite:///")


def test_a_name_with_colons_leads_into_sections(load):
    file = '{"Batchanator:ChunkSize": 3, "Batchanator": {"Maintenance:StaleJobCleanup:Enabled": false}}'
    settings = load(file)
    assert settings.chunk_size == 3
    assert not settings.maintenance.stale_job_cleanup.enabled


def test_a_file_in_crlf_and_with_texts_that_look_like_comments_keeps_its_texts(load):
    settings = load('{"Batchanator": {\r\n"Handlers": ["a//b", "c/*d*/", "e,]", "f\\"g"],\r\n}\r\n}\r\n')
    assert settings.handlers == ("a//b", "c/*d*/", "e,]", 'f"g')


TOML = """
[other]
chunk_size = 1

[batchanator]
database_provider = "postgres"
chunk_size = 20
handlers = ["shop.handlers"]

[batchanator.maintenance]
dead_letter_retry = "5 * * * *"

[batchanator.job_types.resize-image]
slice_size = 5

[[batchanator.scheduled_ingestion_jobs]]
job_type = "data-sync"

[connection_strings]
default_connection = "postgresql://localhost/batches"
"""


def test_toml_takes_the_same_names_in_snake_case(load):
    settings = load(TOML, name="batchanator.toml")
    assert settings.database_url == "postgresql://localhost/batches"
    assert (settings.chunk_size, settings.handlers) == (20, ("shop.handlers",))
    assert settings.job_types["resize-image"].slice_size == 5
    assert settings.scheduled_ingestion_jobs[0].job_type == "data-sync"
    assert settings.maintenance.dead_letter_retry is not None


def test_the_file_that_is_named_is_the_one_that_is_read(load, tmp_path):
    (tmp_path / "other.json").write_text('{"Batchanator": {"ChunkSize": 9}}')
    load(SEED)
    settings = load_settings(config=Path("other.json"), cwd=tmp_path, environ={}, overrides={})
    assert settings.chunk_size == 9


@pytest.mark.parametrize("name", ["gone.json", ".", "with\nnewline.json", "nul\0.json"])
def test_a_file_that_cannot_be_read_is_named_in_one_line(tmp_path, name):
    with pytest.raises(SettingsError, match="cannot be read") as caught:
        load_settings(config=Path(name), cwd=tmp_path, environ={}, overrides={})
    assert str(caught.value).isprintable()


def test_two_files_are_one_too_many(load, refusal):
    load(SEED)
    assert "both here" in refusal(TOML, name="batchanator.toml")


MALFORMED = [
    ("", "line 1"),
    ("[1]", "line 1: the file must be one JSON object"),
    ('{\n"a": 1', "line 2: not valid JSON: the file ends too early"),
    ('{\n"a": "x\n"}', "line 2: not valid JSON"),
    ('{\n\n"a" 1}', 'line 3: not valid JSON: no colon after "a"'),
    ('{"a": 1\n"b": 2}', "line 2: not valid JSON: no comma before a text"),
    ('{"a": NaN}', "line 1: not valid JSON: NaN is no value"),
    ("{'a': 1}", "line 1: not valid JSON"),
    ('{"a": 1}\n}', "line 2: something follows the object's end"),
    ('{"a": 1,\n"A": 2}', 'line 2: "A" is there twice'),
    ('{"a": /* no end', "line 1: not valid JSON"),
    ('{"a": ,}', "line 1: not valid JSON: , stands where a value should"),
    ('{"a": ' + "[" * 5000, "line 1: nested deeper than 64 levels"),
    ('{"a": ' + "1" * 5000 + "}", "line 1: not valid JSON"),
    ('{"a": "\\x"}', "line 1: not valid JSON"),
    ('{"' + "a:" * 5000 + '": 1}', "line 1: nested deeper than 64 levels"),
    (b'{"a": "\xff"}', "not UTF-8"),
    ('{"Batchanator": 3}', "line 1: Batchanator must be a section"),
    ('{\n"ChunkSize": 3}', "line 2: ChunkSize stands outside the section Batchanator"),
]


@pytest.mark.parametrize(("file", "problem"), MALFORMED)
def test_a_malformed_file_is_refused_with_its_line(refusal, file, problem):
    line = refusal(file or "\n")
    assert line.startswith("batchanator.json")
    assert problem in line


def test_malformed_toml_is_refused_with_its_line(refusal):
    assert "line 2" in refusal("[batchanator]\nchunk_size = \n", name="batchanator.toml")


def test_what_lacks_a_comma_is_never_shown(refusal):
    assert "hunter2" not in refusal('{"Batchanator": {"DatabaseUrl": "x" "postgresql://u:hunter2@h/d"}}')


def test_every_file_that_json_writes_is_read(load):
    values = {"Handlers": ["ä\u2028\U0001f600", ""], "JobTypes": {"a b": {"SliceSize": 3}}}
    for indent in (None, 2):
        settings = load(json.dumps({"Batchanator": values}, indent=indent, ensure_ascii=bool(indent)))
        assert list(settings.handlers) == values["Handlers"]
        assert settings.job_types["a b"].slice_size == 3
