"""GET /cron: what comes next and what became of the last times, for people and programs."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.api.client import QUIET, Client, served

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOBS = [
    {"JobType": "echo", "CronExpression": "30 2 * * *", "TimeZone": "Europe/Berlin", "Name": "nightly"},
    {"JobType": "echo", "CronExpression": "*/5 * * * *", "Folder": "in", "OnMissed": "Skip"},
    {"JobType": "echo", "Enabled": False},
]


async def cron(client: Client) -> dict[str, Any]:
    answer = await client.get("/cron")
    assert answer.status == 200, answer
    assert answer.json["hasMore"] is False
    return {job["name"]: job for job in answer.json["data"]}


async def configured(folder: Path) -> None:
    settings = {"ScheduledIngestionJobs": JOBS, "Maintenance": {"ExpiredLockRelease": "0 0 29 2 *"}}
    (folder / "batchanator.json").write_text(json.dumps({"Batchanator": settings}))


async def test_every_planned_job_is_shown_with_its_next_five_times(sqlite_url: str, tmp_path: Path) -> None:
    await configured(tmp_path)
    async with served(sqlite_url, tmp_path, parts=QUIET) as client:
        jobs = await cron(client)
        assert set(jobs) == {"StaleJobCleanup", "ExpiredLockRelease", "nightly", "echo in", "echo"}
        nightly = jobs["nightly"]
        assert nightly["cronExpression"] == "30 2 * * *"
        assert (nightly["timeZone"], nightly["onMissed"], nightly["enabled"]) == (
            "Europe/Berlin",
            "RunOnce",
            True,
        )
        assert len(nightly["next"]) == 5
        assert nightly["next"] == sorted(nightly["next"])
        assert all(one[11:19] in {"01:30:00", "00:30:00", "01:00:00"} for one in nightly["next"])
        assert jobs["echo in"]["onMissed"] == "Skip"
        assert jobs["echo"]["next"] == []
        assert jobs["ExpiredLockRelease"]["next"][0].endswith("-02-29T00:00:00.000000Z")
        assert nightly["runs"] == []


async def test_the_last_fifty_runs_are_shown_with_who_ran_them_and_how_long(quiet: Client) -> None:
    worker = await quiet.world.worker()
    runs = quiet.world.store.cron_runs
    name = "StaleJobCleanup"
    for minute in range(60):
        await runs.skip(
            name=name, scheduled_for=NOON + timedelta(minutes=minute), worker=worker, detail="missed"
        )
    at = NOON + timedelta(hours=2)
    assert await runs.begin(name=name, scheduled_for=at, worker=worker)
    shown = (await cron(quiet))[name]["runs"]
    assert len(shown) == 50
    assert shown[0] == {
        "scheduledFor": "2026-03-01T14:00:00.000000Z",
        "result": "running",
        "detail": None,
        "worker": worker,
        "host": "host",
        "startedAt": shown[0]["startedAt"],
        "endedAt": None,
        "seconds": None,
    }
    assert (shown[1]["result"], shown[1]["detail"]) == ("skipped", "missed")
    await runs.finish(name=name, scheduled_for=at, worker=worker, result="succeeded", detail="job 1")
    last = (await cron(quiet))[name]["runs"][0]
    assert (last["result"], last["detail"]) == ("succeeded", "job 1")
    assert last["seconds"] >= 0
    assert last["endedAt"] >= last["startedAt"]


async def test_there_are_no_parameters(quiet: Client) -> None:
    assert (await quiet.get("/cron?limit=5")).problem == "invalid-request"
