"""What is stuck is called wrong, what only bites is noted, and each has its mend."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from batchanator.domain.diagnosis import configuration, database, work
from batchanator.domain.diagnosis.finding import Finding, Level

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
GRACE = timedelta(seconds=45)
JOB = {"id": 7, "job_type": "mail", "paused_at": None, "type_paused_at": None, "runs": 1}
WORKER = {"incarnation": "w", "roles": "dispatch,ingest", "draining": False, "host": "app", "seen_at": NOW}
SOURCE = {"id": 7, "source_kind": "file", "alive": 0, "created_at": NOW - timedelta(hours=1), "now_at": NOW}
SERVER = {
    "server_version": "18.1",
    "server_version_num": "180001",
    "fsync": "on",
    "full_page_writes": "on",
    "autovacuum": "on",
    "max_connections": "100",
    "superuser_reserved_connections": "3",
    "default_transaction_read_only": "off",
    "connections": "20",
}


def leased(over: timedelta) -> list[dict[str, Any]]:
    return [{"worker": "w", "slices": 3, "lease_until": NOW - over, "now_at": NOW}]


def pin(seconds: float | None) -> dict[str, Any]:
    return {"kind": "session", "name": "11", "whose": "", "state": "idle in transaction", "seconds": seconds}


def settings(**changes: Any) -> list[Finding]:
    plain: dict[str, Any] = {
        "lease": timedelta(minutes=5),
        "poll": timedelta(seconds=5),
        "grace": timedelta(seconds=30),
        "is_open": False,
        "shared_file": False,
    }
    return configuration.settings(**{**plain, **changes})


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (work.workers([]), Level.NOTE),
        (work.workers([WORKER]), Level.OK),
        (work.ready([], []), Level.OK),
        (work.ready([JOB], []), Level.WRONG),
        (work.ready([JOB], [{**WORKER, "roles": "ingest"}]), Level.WRONG),
        (work.ready([JOB], [{**WORKER, "draining": True}]), Level.WRONG),
        (work.ready([JOB], [WORKER]), Level.OK),
        (work.ready([{**JOB, "runs": 0}], [WORKER]), Level.NOTE),
        (work.ready([{**JOB, "paused_at": NOW}], []), Level.NOTE),
        (work.ready([{**JOB, "type_paused_at": NOW}], [WORKER]), Level.NOTE),
        (work.waiting({"due_at": None, "now_at": NOW}), Level.OK),
        (work.waiting({"due_at": NOW - timedelta(seconds=59), "now_at": NOW}), Level.OK),
        (work.waiting({"due_at": NOW - timedelta(seconds=61), "now_at": NOW}), Level.WRONG),
        (work.lapsed([], grace=GRACE), Level.OK),
        (work.lapsed(leased(GRACE), grace=GRACE), Level.NOTE),
        (work.lapsed(leased(GRACE + timedelta(seconds=1)), grace=GRACE), Level.WRONG),
        (work.suspects([]), Level.OK),
        (work.suspects([{"job_id": 7, "first_seq": 1, "last_seq": 50, "lapses": 1}]), Level.NOTE),
        (work.ingestions([]), Level.OK),
        (work.ingestions([SOURCE]), Level.WRONG),
        (work.ingestions([{**SOURCE, "alive": 1}]), Level.OK),
        (work.ingestions([{**SOURCE, "created_at": NOW - timedelta(seconds=59)}]), Level.OK),
        (work.stopping([], []), Level.OK),
        (work.stopping([{"id": 7}], [WORKER]), Level.NOTE),
        (work.stopping([{"id": 7}], []), Level.WRONG),
        (database.clocks(timedelta(seconds=1), [WORKER], NOW), Level.OK),
        (database.clocks(timedelta(seconds=-3), [WORKER], NOW), Level.NOTE),
        (
            database.clocks(timedelta(0), [{**WORKER, "seen_at": NOW + timedelta(seconds=3)}], NOW),
            Level.WRONG,
        ),
        (database.server(SERVER)[0], Level.OK),
        (database.server({**SERVER, "fsync": "off"})[0], Level.WRONG),
        (database.server({**SERVER, "full_page_writes": "off"})[0], Level.WRONG),
        (database.server({**SERVER, "autovacuum": "off"})[0], Level.WRONG),
        (database.server({**SERVER, "default_transaction_read_only": "on"})[0], Level.WRONG),
        (database.server({**SERVER, "server_version_num": "130012"})[0], Level.WRONG),
        (database.server({**SERVER, "connections": "88"})[0], Level.NOTE),
        (database.server({"server_version": "3.53.0", "journal_mode": "wal"})[0], Level.OK),
        (database.server({"server_version": "3.40.1", "journal_mode": "delete"})[0], Level.NOTE),
        (database.pinning([]), Level.OK),
        (database.pinning([pin(400.0), pin(None)]), Level.WRONG),
        (database.tables([{"name": "slices", "live": 10, "dead": 100_000}]), Level.OK),
        (database.tables([{"name": "slices", "live": 10, "dead": 100_001}]), Level.WRONG),
        (database.tables([{"name": "slices", "live": 100_000, "dead": 200_000}]), Level.OK),
        (settings()[0], Level.OK),
        (settings(lease=timedelta(seconds=14))[0], Level.NOTE),
        (settings(lease=timedelta(minutes=31))[0], Level.NOTE),
        (settings(poll=timedelta(minutes=2))[0], Level.NOTE),
        (settings(grace=timedelta(minutes=6))[0], Level.NOTE),
        (settings(is_open=True)[0], Level.NOTE),
        (settings(shared_file=True)[0], Level.NOTE),
    ],
)
def test_a_fact_is_judged(found: Finding, level: Level) -> None:
    assert found.level is level
    assert bool(found.mend) == (level is not Level.OK), "what is not well has its mend"


def test_a_source_that_nobody_reads_may_be_a_file_of_another_host() -> None:
    assert "SourceRoots" in work.ingestions([SOURCE]).mend
    assert "SourceRoots" not in work.ingestions([{**SOURCE, "source_kind": "database"}]).mend


def test_jobs_are_named() -> None:
    many = [{**JOB, "id": number} for number in range(1, 12)]
    assert work.ready(many, []).text.startswith("jobs 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …")
    assert work.ready([JOB], []).text.startswith("job 7:")
