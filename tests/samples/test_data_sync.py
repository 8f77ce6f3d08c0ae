import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from batchanator import Skipped, Succeeded
from tests.samples.running import lines, run


def crm(outbox: Path) -> dict[str, str]:
    with closing(sqlite3.connect(outbox / "crm.db")) as connection:
        return dict(connection.execute("SELECT id, data FROM entities"))


def fences(outbox: Path) -> list[int]:
    with closing(sqlite3.connect(outbox / "crm.db")) as connection:
        return [fence for (fence,) in connection.execute("SELECT fence FROM applied")]


def change(key: str, operation: str, **data: Any) -> str:
    body = {"data": data} if operation != "delete" else {}
    entity = {"externalSystemId": "s", "entityType": "t", "entityId": "e", "operation": operation}
    return json.dumps({"idempotency_key": key} | entity | body)


async def test_entities_are_created_updated_and_deleted(outbox) -> None:
    await run("data-sync", change("1", "create", v=1))
    await run("data-sync", change("2", "update", v=2))
    assert crm(outbox) == {"e": '{"v": 2}'}
    assert await run("data-sync", change("3", "delete")) == Succeeded(
        {"operation": "delete", "applied": True}
    )
    assert crm(outbox) == {}
    assert await run("data-sync", change("4", "delete")) == Skipped("t e is not there")


async def test_neither_a_repeat_nor_a_late_older_fence_changes_anything(outbox) -> None:
    await run("data-sync", change("1", "create", v=1), fence=5)
    await run("data-sync", change("2", "update", v=2), seq=2)
    for fence in (6, 4):
        outcome = await run("data-sync", change("1", "create", v=1), fence=fence)
        assert outcome == Succeeded({"operation": "create", "applied": False})
    assert crm(outbox) == {"e": '{"v": 2}'}
    assert fences(outbox) == [5, 1]


async def test_a_mended_line_that_took_the_key_over_is_applied_and_its_elder_no_more(outbox) -> None:
    await run("data-sync", change("1", "create", v=1), job=1, seq=7)
    await run("data-sync", change("1", "create", v=2), job=2, seq=1)
    assert crm(outbox) == {"e": '{"v": 2}'}
    await run("data-sync", change("1", "create", v=1), job=1, seq=7, fence=9)
    assert crm(outbox) == {"e": '{"v": 2}'}


async def test_a_change_that_fails_half_way_leaves_nothing(outbox, monkeypatch) -> None:
    monkeypatch.setattr("samples.handlers.data_sync._UPSERT", "INSERT INTO nowhere VALUES (?, ?, ?, ?)")
    with pytest.raises(sqlite3.OperationalError):
        await run("data-sync", change("1", "create", v=1))
    monkeypatch.undo()
    monkeypatch.setenv("BATCHANATOR_SAMPLES_OUTBOX", str(outbox))
    assert await run("data-sync", change("1", "create", v=1)) == Succeeded(
        {"operation": "create", "applied": True}
    )


async def test_the_sync_lines_all_end_well() -> None:
    outcomes = [await run("data-sync", raw, seq=seq) for seq, raw in enumerate(lines("data-sync"), 1)]
    assert [type(outcome) for outcome in outcomes] == [Succeeded] * 9 + [Skipped]
