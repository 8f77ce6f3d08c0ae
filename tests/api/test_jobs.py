"""Jobs: the documented shape, lists by keyset, and what an operator does."""

import re

from tests.api.client import Client, until
from tests.contract.world import FATAL, LATER

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


async def test_a_job_has_the_documented_shape(live: Client) -> None:
    job = await live.ended(await live.items({"value": 1}, {"does": "die"}, {"does": "skip"}, jobName="mine"))
    for name in ("createdAt", "startedAt", "sealedAt", "endedAt"):
        assert INSTANT.fullmatch(job.pop(name))
    assert job.pop("progress").keys() == {"percent", "itemsPerSecond", "eta"}
    assert job == {
        "id": 1,
        "name": "mine",
        "jobType": "echo",
        "status": "partially_completed",
        "statusReason": None,
        "statusReasonCode": None,
        "paused": False,
        "stopping": None,
        "round": 1,
        "priority": 0,
        "maxConcurrency": None,
        "ratePerSecond": None,
        "counts": {
            "total": 3,
            "pending": 0,
            "processing": 0,
            "retrying": 0,
            "succeeded": 1,
            "skipped": 1,
            "dead": 1,
            "cancelled": 0,
        },
        "source": {
            "kind": "items",
            "name": "items",
            "lines": 3,
            "accepted": 3,
            "duplicates": 0,
            "rejected": 0,
            "bytesRead": None,
            "bytesTotal": None,
        },
        "batches": {"total": 1, "completed": 1},
    }


async def test_items_without_a_name_are_called_after_their_type_and_time(live: Client) -> None:
    job = await live.job(await live.items({}))
    assert re.fullmatch(r"echo-\d{8}-\d{6}", job["name"])


async def test_counts_of_a_running_job_are_disjoint(quiet: Client) -> None:
    world = quiet.world
    job_id = await world.job(20, slice_size=5)
    worker = await world.worker()
    first, _second = (await world.claim(worker, 1)) + (await world.claim(worker, 1))
    await world.settle(worker, first, {1: LATER, 2: FATAL})
    job = await quiet.job(job_id)
    assert {name: count for name, count in job["counts"].items() if count} == {
        "total": 20,
        "pending": 10,
        "processing": 5,
        "retrying": 1,
        "succeeded": 3,
        "dead": 1,
    }
    assert (job["status"], job["progress"]["percent"], job["endedAt"]) == ("processing", 20.0, None)


async def test_lists_go_newest_first_without_gaps(quiet: Client) -> None:
    for number in range(7):
        await quiet.items({}, prefix=f"p{number}-", job_type="echo" if number % 2 else "threaded")
    all_ids = [job["id"] for page in await quiet.pages("/jobs?limit=3") for job in page]
    assert all_ids == sorted(all_ids, reverse=True)
    assert len(all_ids) == 7
    echo = [job["id"] for page in await quiet.pages("/jobs?jobType=echo&limit=2") for job in page]
    assert echo == [job_id for job_id in all_ids if (await quiet.job(job_id))["jobType"] == "echo"]
    await quiet.post(f"/jobs/{all_ids[0]}/cancel")
    await quiet.world.duties.sweep()
    assert [job["id"] for job in (await quiet.get("/jobs?status=cancelled")).json["data"]] == [all_ids[0]]
    assert (await quiet.get("/jobs?status=processing&jobType=echo")).json["data"] != []
    assert (await quiet.get("/jobs?status=failed")).json == {"data": [], "hasMore": False, "next": None}


async def test_cancel_says_what_was_free_and_only_once(quiet: Client) -> None:
    job_id = await quiet.items({}, {}, {})
    answer = await quiet.post(f"/jobs/{job_id}/cancel")
    assert (answer.status, answer.json) == (200, {"cancelledCount": 3})
    job = await quiet.job(job_id)
    assert (job["stopping"], job["statusReason"], job["statusReasonCode"]) == (
        "cancelled",
        "cancelled by api",
        "cancelled",
    )
    again = await quiet.post(f"/jobs/{job_id}/cancel")
    assert (again.status, again.problem) == (409, "conflict")
    await quiet.world.duties.sweep()
    job = await quiet.job(job_id)
    assert (job["status"], job["counts"]["cancelled"], job["stopping"]) == ("cancelled", 3, None)


async def test_pause_and_resume_are_idempotent(live: Client) -> None:
    job_id = await live.items({"does": "hang"})
    for _ in range(2):
        assert (await live.post(f"/jobs/{job_id}/pause")).json["paused"] is True
    assert (await live.job(job_id))["progress"]["eta"] is None
    for _ in range(2):
        assert (await live.post(f"/jobs/{job_id}/resume")).json["paused"] is False

    async def runs() -> bool:
        return bool((await live.job(job_id))["counts"]["processing"] == 1)

    await until(runs)
    await live.post(f"/jobs/{job_id}/cancel")


async def test_what_is_not_there_and_what_has_ended(live: Client) -> None:
    for action in ("cancel", "pause", "resume", "dead-letter/replay"):
        answer = await live.post(f"/jobs/99/{action}")
        assert (answer.status, answer.problem, answer.json["detail"]) == (
            404,
            "not-found",
            "there is no job 99",
        )
    job_id = await live.items({})
    await live.ended(job_id)
    for action in ("cancel", "pause", "resume"):
        assert (await live.post(f"/jobs/{job_id}/{action}")).problem == "conflict"


async def test_actions_are_on_record(quiet: Client) -> None:
    job_id = await quiet.items({})
    for action in ("pause", "resume", "cancel"):
        await quiet.post(f"/jobs/{job_id}/{action}")
    rows = await quiet.world.fetch("SELECT action, actor FROM actions ORDER BY id")
    assert [(row["action"], row["actor"]) for row in rows] == [
        ("pause", "api"),
        ("resume", "api"),
        ("cancel", "api"),
    ]
