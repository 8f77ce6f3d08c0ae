"""Every T-SQL text is read by Microsoft's own grammar, for whoever has no SQL Server at hand."""

import re

import pytest

from batchanator.store.migrations import known
from batchanator.store.sqlserver_values import batches_of
from batchanator.store.statements import Dialect, load
from tests.statements.test_files import names
from tests.support.tsql import errors_of

_DECLARED = re.compile(r"(?:DECLARE|,)\s*@(\w+)\s+(?:TABLE|bigint|datetime2)", re.IGNORECASE)

WRONG = {
    "a limit": "SELECT id FROM jobs ORDER BY id LIMIT 5",
    "a returning": "UPDATE jobs SET paused_at = NULL WHERE id = 1 RETURNING id",
    "on conflict": "INSERT INTO events (job_id) VALUES (1) ON CONFLICT DO NOTHING",
    "an array": "SELECT id FROM jobs WHERE id = ANY (ARRAY[1, 2])",
    "a keyword for a name": "SELECT s.open FROM slices s",
    "a boolean for a value": "SELECT (state = 1) AS leased FROM slices",
    "a hint that there is none of": "SELECT id FROM jobs WITH (SKIPLOCKED)",
    "a transaction without its end of block": "BEGIN TRY SELECT 1",
    "top behind its columns": "SELECT id TOP (5) FROM jobs",
}


def test_every_statement_and_migration_is_t_sql() -> None:
    texts = {name: "\n".join(load(name).sqlserver.steps) for name in names()}
    for migration in known(Dialect.SQLSERVER):
        for number, batch in enumerate(batches_of(migration.script)):
            texts[f"{migration.version:04d}, batch {number}"] = batch
    found = errors_of(texts)
    assert found.keys() == texts.keys()
    assert {name: errors for name, errors in found.items() if errors} == {}


def test_what_is_no_t_sql_is_refused() -> None:
    found = errors_of(WRONG)
    assert [name for name, errors in found.items() if not errors] == []


@pytest.mark.parametrize("name", names())
def test_no_variable_of_a_batch_has_a_parameters_name(name: str) -> None:
    """The grammar would not see it: parameters become variables of the same batch."""
    text = load(name).sqlserver
    declared = [match.lower() for step in text.steps for match in _DECLARED.findall(step)]
    assert len(declared) == len(set(declared))
    assert not set(declared) & {parameter.name for parameter in text.parameters}


@pytest.mark.parametrize("name", names())
def test_what_a_batch_returns_after_its_commit_is_its_own(name: str) -> None:
    """A last step behind others runs after the COMMIT: of a change it may tell only what the batch has kept."""
    *before, last = load(name).sqlserver.steps
    if any(re.search(r"\bOUTPUT\b", step) for step in before) and not name.startswith("slices/claim"):
        tables = re.findall(r"\b(?:FROM|JOIN)\s+(\S+)", last)
        assert all(table.startswith("@") for table in tables)


def test_every_change_tells_what_it_did_by_way_of_a_table() -> None:
    """A bare OUTPUT is refused beside a user's trigger, and row counts lie there."""
    for name in names():
        for step in load(name).sqlserver.steps:
            outputs, into = (
                re.findall(r"\bOUTPUT (?:inserted|deleted)\b", step),
                re.findall(r"\bINTO @", step),
            )
            assert len(into) >= len(outputs), name
            assert "@@ROWCOUNT" not in step.upper(), name
