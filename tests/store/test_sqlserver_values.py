"""What crosses to SQL Server and back, as far as no server is needed for it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from batchanator.domain.errors import (
    OutcomeUnknownError,
    StoreError,
    TransientError,
    UnavailableError,
    UniqueError,
)
from batchanator.store.driver import Table
from batchanator.store.records import KeyRow
from batchanator.store.sqlserver import _check_lock
from batchanator.store.sqlserver_values import bind, json_rows, rows_from, translate
from batchanator.store.statements import load

DRIVER = "[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]"
ERRORS = [
    ("23000", f"[23000] {DRIVER}Violation of PRIMARY KEY constraint. (2627) (SQLExecDirectW)", UniqueError),
    ("23000", f"[23000] {DRIVER}Cannot insert duplicate key row. (2601) (SQLExecDirectW)", UniqueError),
    ("40001", f"[40001] {DRIVER}Transaction was deadlocked. (1205) (SQLExecDirectW)", TransientError),
    ("HYT00", f"[HYT00] {DRIVER}Lock request time out period exceeded. (1222)", TransientError),
    ("42000", f"[42000] {DRIVER}Snapshot isolation aborted. (3960)", TransientError),
    ("28000", f"[28000] {DRIVER}Login failed for user 'u'. (18456)", UnavailableError),
    ("42000", f"[42000] {DRIVER}Cannot open database. (4060)", UnavailableError),
    (
        "08S01",
        "[08S01] [Microsoft][ODBC Driver 18 for SQL Server]TCP Provider: Error code 0x68 (104)",
        UnavailableError,
    ),
    ("42000", f"[42000] {DRIVER}Incorrect syntax near 'x'. (102)", StoreError),
]


@pytest.mark.parametrize(("state", "text", "kind"), ERRORS)
def test_an_error_is_known_by_its_number_or_its_state(state: str, text: str, kind: type) -> None:
    assert type(translate(Exception(state, text))) is kind


def test_a_connection_lost_in_a_commit_leaves_the_outcome_unknown() -> None:
    error = translate(Exception("08S01", f"[08S01] {DRIVER}Communication link failure (0)"), committing=True)
    assert type(error) is OutcomeUnknownError


@pytest.mark.parametrize(
    ("result", "kind"),
    [(-1, TransientError), (-2, UnavailableError), (-3, TransientError), (-999, StoreError)],
)
def test_each_refusal_of_an_application_lock_has_its_error(result: int, kind: type) -> None:
    with pytest.raises(StoreError) as caught:
        _check_lock(result, "name")
    assert type(caught.value) is kind
    _check_lock(0, "name")
    _check_lock(1, "name")


def test_keys_are_bytes_on_their_way_and_text_again() -> None:
    keys = ["ABC", "abc", "abc ", "ä😀"]
    bound = bind(
        load("idempotency_keys/insert"),
        {"job_id": 1, "job_type_id": 2, "keys": [KeyRow(n, -n, key) for n, key in enumerate(keys)]},
        within=True,
    )
    sent = [row["key"] for row in json.loads(bound.values[0])]
    assert len(set(sent)) == len(keys)
    found = rows_from(["key", "seq"], [(bytes.fromhex(key), n) for n, key in enumerate(sent)])
    assert [row["key"] for row in found] == keys
    assert rows_from(["keys"], [(",".join(sent),)]) == [{"keys": keys}]


def test_rows_of_every_length_keep_their_bytes() -> None:
    table = Table("items", ("job_id", "seq", "idempotency_key", "payload"))
    payloads = ['"x"', '"' + "ä" * 9000 + '"', "{}"]
    rows = json.loads(json_rows(table, [(1, n, f"k{n}", payload) for n, payload in enumerate(payloads)]))
    assert [bytes.fromhex(row[3]).decode() for row in rows] == payloads


def test_instants_are_utc_and_durations_microseconds() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    bound = bind(
        load("workers/beat"), {"worker": "w", "lease": timedelta(seconds=2), "draining": False}, within=True
    )
    assert 2_000_000 in bound.values
    assert rows_from(["seen_at"], [(at.replace(tzinfo=None),)]) == [{"seen_at": at}]


def test_a_batch_ends_its_own_transaction_unless_it_stands_in_one() -> None:
    given = {"worker": "w", "lease": timedelta(seconds=2), "draining": False}
    alone, within = (bind(load("workers/beat"), given, within=within).text for within in (False, True))
    assert alone.index("BEGIN TRANSACTION") < alone.index("UPDATE") < alone.index("COMMIT TRANSACTION")
    assert alone.index("COMMIT TRANSACTION") < alone.rindex("SELECT")
    assert "TRANSACTION" not in within
