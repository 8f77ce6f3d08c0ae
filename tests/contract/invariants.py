"""What must hold of a database at rest, counted here anew from its rows: no statement of the product's is used."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

from tests.contract.world import World

Row = dict[str, Any]
FINAL = ("succeeded", "skipped", "dead", "cancelled")
TABLES = {
    "jobs": "SELECT * FROM jobs ORDER BY id",
    "batches": "SELECT * FROM batches ORDER BY job_id, number",
    "slices": "SELECT * FROM slices ORDER BY job_id, first_seq",
    "items": "SELECT * FROM items ORDER BY job_id, seq",
    "runs": "SELECT * FROM runs ORDER BY job_id, first_seq",
    "outcomes": "SELECT * FROM outcomes ORDER BY job_id, seq",
    "attempts": "SELECT * FROM attempts ORDER BY job_id, seq, attempt",
    "lapses": "SELECT * FROM lapses ORDER BY job_id, first_seq, fence",
    "idempotency_keys": "SELECT * FROM idempotency_keys ORDER BY job_type_id, key",
    "rejects": "SELECT * FROM rejects ORDER BY job_id, line",
    "duplicates": "SELECT * FROM duplicates ORDER BY job_id, first_line",
    "events": "SELECT * FROM events ORDER BY job_id, round",
    "workers": "SELECT * FROM workers ORDER BY incarnation",
    "batch_jobs": "SELECT * FROM batch_jobs ORDER BY id",
    "batch_items": "SELECT job_id, seq, status FROM batch_items ORDER BY job_id, seq",
}


async def assert_consistent(world: World) -> None:
    tables = {name: await world.fetch(text) for name, text in TABLES.items()}
    by_job: dict[str, dict[int, list[Row]]] = {}
    for name, rows in tables.items():
        grouped: dict[int, list[Row]] = defaultdict(list)
        for row in rows:
            grouped[row.get("job_id") or row.get("id") or 0].append(row)
        by_job[name] = grouped
    workers = {row["incarnation"] for row in tables["workers"]}
    for job in tables["jobs"]:
        _check_job(job, {name: rows[job["id"]] for name, rows in by_job.items()}, workers)
    _check_keys(tables)


def _check_job(job: Row, of: dict[str, list[Row]], workers: set[str]) -> None:
    status = statuses(of)
    _check_lines(job, of)
    _check_slices(of, status, workers)
    _check_counters(job, of, status)
    _check_end(job, of)
    _check_outcomes(of)
    _check_views(job, of, status)


def statuses(of: dict[str, list[Row]]) -> dict[int, str]:
    """Return each item's status: its own row's, else its run's, else open."""
    own = {row["seq"]: row["status"] for row in of["outcomes"]}
    found = {}
    for item in of["items"]:
        seq = item["seq"]
        run = [row["status"] for row in of["runs"] if row["first_seq"] <= seq <= row["last_seq"]]
        assert len(run) <= 1, f"runs overlap at {seq}"
        found[seq] = own.get(seq) or (run[0] if run else "open")
    assert own.keys() <= found.keys(), "an outcome without an item"
    return found


def _check_lines(job: Row, of: dict[str, list[Row]]) -> None:
    duplicates = sum(row["last_line"] - row["first_line"] + 1 for row in of["duplicates"])
    found = (len(of["items"]), duplicates, len(of["rejects"]))
    assert found == (job["accepted"], job["duplicates"], job["rejected"])
    assert job["lines"] == sum(found)
    assert job["batches"] == len(of["batches"])


def _check_slices(of: dict[str, list[Row]], status: dict[int, str], workers: set[str]) -> None:
    for one, other in pairwise(of["slices"]):
        assert one["last_seq"] < other["first_seq"], "slices overlap"
    ordinals = [row["ordinal"] for row in of["slices"]]
    assert len(set(ordinals)) == len(ordinals)
    batches = {row["number"]: row for row in of["batches"]}
    uncovered = {seq for seq, what in status.items() if what not in FINAL}
    for row in of["slices"]:
        inside = {seq for seq in uncovered if row["first_seq"] <= seq <= row["last_seq"]}
        assert row["open"] == len(inside) > 0, row
        uncovered -= inside
        batch = batches[row["batch"]]
        assert batch["first_seq"] <= row["first_seq"] <= row["last_seq"] <= batch["last_seq"]
        assert (row["state"] == 1) == (row["worker"] is not None)
        assert row["worker"] is None or row["worker"] in workers
        for outcome in of["outcomes"]:
            if row["first_seq"] <= outcome["seq"] <= row["last_seq"]:
                assert outcome["fence"] <= row["fence"]
    assert not uncovered, f"no slice covers {uncovered}"


def _check_counters(job: Row, of: dict[str, list[Row]], status: dict[int, str]) -> None:
    closed = Counter[str]()
    for batch in of["batches"]:
        inside = [what for seq, what in status.items() if batch["first_seq"] <= seq <= batch["last_seq"]]
        found = Counter(what for what in inside if what in FINAL)
        assert {name: batch[name] for name in FINAL} == {name: found[name] for name in FINAL}, batch
        assert batch["total"] == len(inside)
        is_open = any(row["batch"] == batch["number"] for row in of["slices"])
        assert (batch["completed_at"] is None) == is_open == (found.total() < batch["total"])
        if not is_open:
            closed += found
    assert {name: job[name] for name in FINAL} == {name: closed[name] for name in FINAL}, job
    assert job["batches_open"] == sum(batch["completed_at"] is None for batch in of["batches"])


def _check_end(job: Row, of: dict[str, list[Row]]) -> None:
    over = job["sealed_at"] is not None and job["batches_open"] == 0
    assert (job["ended_at"] is not None) == over, job
    if over:
        assert job["ended_at"] >= job["created_at"]
    rounds = [row["round"] for row in of["events"]]
    assert rounds == list(range(1, job["round"] + over)), "one event for each ended round"


def _check_outcomes(of: dict[str, list[Row]]) -> None:
    failed = Counter(row["seq"] for row in of["attempts"])
    for row in of["outcomes"]:
        assert row["attempts"] <= row["max_attempts"], row
        assert row["status"] != "dead" or row["error"]
        assert failed[row["seq"]] <= row["attempts"]


def _check_views(job: Row, of: dict[str, list[Row]], status: dict[int, str]) -> None:
    (seen,) = of["batch_jobs"]
    leased = {
        seq
        for row in of["slices"]
        if row["state"] == 1
        for seq, what in status.items()
        if what == "open" and row["first_seq"] <= seq <= row["last_seq"]
    }
    words = {
        seq: ("processing" if seq in leased else "pending") if what == "open" else what
        for seq, what in status.items()
    }
    found = Counter(words.values())
    names = (*FINAL, "retrying", "processing", "pending")
    assert {name: int(seen[name]) for name in names} == {name: found[name] for name in names}
    assert {row["seq"]: row["status"] for row in of["batch_items"]} == words
    assert job["status"] == seen["status"]


def _check_keys(tables: dict[str, list[Row]]) -> None:
    """Whatever runs, ran or will run holds its key, and a key is held by one item that bears it."""
    types = {job["id"]: job["job_type_id"] for job in tables["jobs"]}
    items = {(row["job_id"], row["seq"]): row for row in tables["items"]}
    words = {(row["job_id"], row["seq"]): row["status"] for row in tables["batch_items"]}
    holders = {
        (row["job_type_id"], row["key"]): (row["job_id"], row["seq"]) for row in tables["idempotency_keys"]
    }
    for (job_type, key), holder in holders.items():
        assert items[holder]["idempotency_key"] == key
        assert types[holder[0]] == job_type
    stopping = {job["id"] for job in tables["jobs"] if job["stopping"] and job["ended_at"] is None}
    for identity, row in items.items():
        counts_as_cancelled = words[identity] == "pending" and identity[0] in stopping
        if words[identity] not in {"dead", "cancelled"} and not counts_as_cancelled:
            assert holders[types[identity[0]], row["idempotency_key"]] == identity, row
