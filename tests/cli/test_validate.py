"""`validate` says what ingestion would, and writes nothing."""

import json

from tests.cli.conftest import HANDLERS, line

DEMO = ("--job-type", "demo", *HANDLERS)


def test_a_clean_file_is_clean(invoke, write, tmp_path):
    result = invoke("validate", write(line("a"), b"", line("b", do="skip")), *DEMO)
    assert result.exit_code == 0
    assert "and 1 blank one" in result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["mine.ndjson"]


def test_each_kind_of_fault_is_named_with_line_and_field(invoke, write):
    path = write(
        line("a"), b"{", line("b", do="dance"), line("a"), line("b", do="fail"), b'{"idempotency_key": 7}'
    )
    result = invoke("validate", path, *DEMO, "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert [(one["line"], one["code"], one["pointer"]) for one in found["errors"]] == [
        (2, "not_json", ""),
        (3, "invalid_payload", "/do"),
        (4, "duplicate", "/idempotency_key"),
        (5, "conflict", "/idempotency_key"),
        (6, "key_not_string", "/idempotency_key"),
    ]
    assert (
        found["lines"] == found["items"] + found["duplicates"] + found["conflicts"] + found["rejected"] == 6
    )
    assert found["invalid"] == 1


def test_duplicates_are_found_beyond_a_chunk(invoke, write):
    path = write(*(line(f"k{number}") for number in range(2100)), line("k3"))
    result = invoke("validate", path, *DEMO)
    assert result.exit_code == 1
    assert "line 2101  duplicate  /idempotency_key  the same line as line 4" in result.stdout


def test_what_is_not_shown_is_counted(invoke, write):
    result = invoke("validate", write(*[b"oops"] * 5), *DEMO, "--limit", "2")
    assert "and 3 more" in result.stdout


def test_a_source_that_is_no_text_of_lines_is_refused_in_one_line(invoke, write):
    result = invoke("validate", write(b"[{}]"), *DEMO)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: the source is a JSON array")
