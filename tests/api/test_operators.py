"""Who works on what, a worker that is given up, and the record of what operators did."""

from pathlib import Path

from tests.api.client import Client, served, until
from tests.contract.world import TICK


async def test_workers_are_listed_with_what_they_hold_and_read(quiet: Client) -> None:
    world = quiet.world
    job = await world.job(120)
    reading = await world.empty_job()
    worker, other = await world.worker(), await world.worker()
    await world.claim(worker, 2)
    await world.fetch("UPDATE jobs SET ingest_worker = :worker WHERE id = :id", worker=other, id=reading)
    listed = {one["id"]: one for one in (await quiet.get("/workers")).json["data"]}
    mine = listed[worker]
    assert [(one["jobId"], one["slices"], one["items"]) for one in mine["holds"]] == [(job, 2, 100)]
    assert (mine["alive"], mine["draining"], mine["host"], mine["pid"]) == (True, False, "host", 1)
    assert (mine["roles"], mine["ingests"]) == (["worker"], [])
    assert mine["startedAt"] <= mine["seenAt"] <= mine["leaseUntil"]
    assert (listed[other]["holds"], listed[other]["ingests"]) == ([], [reading])


async def test_workers_are_listed_by_page_and_by_whether_they_live(quiet: Client) -> None:
    world = quiet.world
    alive = {await world.worker() for _ in range(3)}
    gone = await world.worker(TICK)

    async def expired() -> bool:
        return gone in {one["id"] for one in (await quiet.get("/workers?state=gone")).json["data"]}

    await until(expired)
    pages = await quiet.pages("/workers?limit=2")
    assert [len(page) for page in pages] == [2, 1]
    assert {one["id"] for page in pages for one in page} == alive
    everyone = (await quiet.get("/workers?state=all")).json["data"]
    assert {one["id"]: one["alive"] for one in everyone} == {**dict.fromkeys(alive, True), gone: False}
    assert (await quiet.get("/workers?state=dead")).status == 422


async def test_a_worker_that_is_given_up_holds_nothing_and_its_answer_is_stale(quiet: Client) -> None:
    world = quiet.world
    job = await world.job(100)
    worker, neighbour = await world.worker(), await world.worker()
    held = await world.claim(worker, 1)
    await world.claim(neighbour, 1)
    answer = await quiet.post(f"/workers/{worker}/release")
    assert (answer.status, answer.json) == (200, {"releasedCount": 1})
    listed = {one["id"]: one for one in (await quiet.get("/workers?state=all")).json["data"]}
    assert (listed[worker]["alive"], listed[worker]["holds"]) == (False, [])
    assert listed[neighbour]["holds"] != []
    assert [lapse["worker"] for lapse in await world.lapses(job)] == [worker]
    assert await world.settle(worker, held) == []
    assert [one["first_seq"] for one in await world.slices(job) if one["state"] == 0] == [1]


async def test_a_worker_that_nobody_knows_cannot_be_given_up(quiet: Client) -> None:
    for name in ("nobody", "x" * 500, "%00"):
        assert (await quiet.post(f"/workers/{name}/release")).status == 404, name


async def test_a_living_worker_that_is_given_up_comes_back_and_the_work_ends(
    database_url: str, tmp_path: Path
) -> None:
    async with served(database_url, tmp_path) as live:
        before = (await live.get("/workers")).json["data"]
        assert [one["roles"] for one in before] == [["dispatch", "ingest"]]
        assert (await live.post(f"/workers/{before[0]['id']}/release")).status == 200
        job = await live.ended(await live.items(*[{}] * 20))
        assert (job["status"], job["counts"]["succeeded"]) == ("completed", 20)
        after = (await live.get("/workers")).json["data"]
        assert after[0]["id"] != before[0]["id"]


async def test_what_operators_did_is_listed_newest_first(quiet: Client) -> None:
    world = quiet.world
    first, second = await world.job(2), await world.job(3)
    worker = await world.worker()
    await quiet.post(f"/jobs/{first}/pause")
    await quiet.post(f"/jobs/{second}/cancel")
    await quiet.post(f"/workers/{worker}/release")
    listed = (await quiet.get("/actions")).json["data"]
    told = [(one["action"], one["jobId"], one["detail"]) for one in listed]
    assert told == [
        ("release", None, {"worker": worker}),
        ("cancel", second, {"cancelled": 3}),
        ("pause", first, {}),
    ]
    assert {one["actor"] for one in listed} == {"api"}
    assert [one["id"] for page in await quiet.pages("/actions?limit=1") for one in page] == [
        one["id"] for one in listed
    ]
    only = (await quiet.get(f"/actions?jobId={first}")).json["data"]
    assert [one["action"] for one in only] == ["pause"]


async def test_limits_of_a_job_are_changed_one_by_one_and_lifted_by_null(quiet: Client) -> None:
    job = await quiet.world.job(3)
    path = f"/jobs/{job}"
    changed = await quiet.ask("PATCH", path, json={"priority": 7, "maxConcurrency": 2, "ratePerSecond": 0.5})
    told = {name: changed.json[name] for name in ("priority", "maxConcurrency", "ratePerSecond")}
    assert (changed.status, told) == (200, {"priority": 7, "maxConcurrency": 2, "ratePerSecond": 0.5})
    lifted = (await quiet.ask("PATCH", path, json={"maxConcurrency": None})).json
    assert (lifted["priority"], lifted["maxConcurrency"], lifted["ratePerSecond"]) == (7, None, 0.5)
    actions = (await quiet.get(f"/actions?jobId={job}")).json["data"]
    assert [one["detail"] for one in actions] == [
        {"max_concurrency": None},
        {"priority": 7, "max_concurrency": 2, "rate": 0.5},
    ]


async def test_limits_that_are_none_are_refused(quiet: Client) -> None:
    job = await quiet.world.job(1)
    for asked in ({}, {"maxConcurrency": 0}, {"ratePerSecond": 0}, {"priority": None}, {"paused": True}):
        assert (await quiet.ask("PATCH", f"/jobs/{job}", json=asked)).status == 422, asked
    assert (await quiet.ask("PATCH", "/jobs/999", json={"priority": 1})).status == 404
    assert (await quiet.ask("PATCH", "/handlers/nobody", json={"paused": True})).status == 404
    await quiet.world.run()
    assert (await quiet.ask("PATCH", f"/jobs/{job}", json={"priority": 1})).status == 409


async def test_a_job_type_is_stopped_and_let_go_again(live: Client) -> None:
    stopped = await live.ask("PATCH", "/handlers/echo", json={"paused": True, "maxConcurrency": 3})
    assert (stopped.status, stopped.json["paused"], stopped.json["maxConcurrency"]) == (200, True, 3)
    job = await live.items({}, {})
    other = await live.items({}, job_type="threaded")
    await live.ended(other)
    assert (await live.job(job))["counts"]["succeeded"] == 0
    assert (await live.ask("PATCH", "/handlers/echo", json={"paused": False})).json["paused"] is False
    assert (await live.ended(job))["counts"]["succeeded"] == 2
