"""Batches and items: the documented shapes, and lists that miss nothing and repeat nothing."""

from datetime import timedelta

from tests.api.client import Client
from tests.api.test_jobs import INSTANT
from tests.contract.world import FATAL, LATER, SKIP, entries


async def mixed(client: Client) -> int:
    """Return a job of 40 lines in four batches, with items in every status."""
    world = client.world
    await world.job_type(slice_size=5)
    job_id = await world.job(40, slice_size=5, chunk=10)
    worker = await world.worker()
    for claimed in await world.claim(worker, 5):
        first = claimed.first_seq
        await world.settle(worker, claimed, {first: FATAL, first + 1: LATER, first + 2: SKIP})
    await world.claim(worker, 1)
    return job_id


async def expected(client: Client, job_id: int) -> dict[int, str]:
    return await client.world.statuses(job_id)


async def test_batches_have_the_documented_shape(quiet: Client) -> None:
    job_id = await mixed(quiet)
    pages = await quiet.pages(f"/jobs/{job_id}/batches?limit=3")
    assert [len(page) for page in pages] == [3, 1]
    first, _, third, last = [batch for page in pages for batch in page]
    assert INSTANT.fullmatch(first.pop("createdAt"))
    assert first == {
        "id": f"{job_id}-1",
        "number": 1,
        "status": "processing",
        "counts": {
            "total": 10,
            "pending": 0,
            "processing": 0,
            "retrying": 2,
            "succeeded": 4,
            "skipped": 2,
            "dead": 2,
            "cancelled": 0,
        },
        "completedAt": None,
    }
    assert (third["counts"]["processing"], last["status"]) == (5, "pending")


async def test_the_status_of_a_batch_follows_from_its_counts(quiet: Client) -> None:
    world = quiet.world
    job_id = await world.job(40, slice_size=10, chunk=10)
    worker = await world.worker()
    good, some, none, _ = await world.claim(worker, 4)
    await world.settle(worker, good)
    await world.settle(worker, some, {12: FATAL})
    await world.settle(worker, none, dict.fromkeys(range(21, 31), FATAL))
    await world.die(worker)
    await world.duties.recover()
    await quiet.post(f"/jobs/{job_id}/cancel")
    await world.duties.sweep()
    batches = (await quiet.get(f"/jobs/{job_id}/batches")).json["data"]
    statuses = [batch["status"] for batch in batches]
    assert statuses == ["completed", "partially_completed", "failed", "cancelled"]
    assert all(INSTANT.fullmatch(batch["completedAt"]) for batch in batches)


async def test_items_have_the_documented_shape(quiet: Client) -> None:
    world = quiet.world
    job_id = await mixed(quiet)
    dead, retrying, skipped, good, *_ = (await quiet.get(f"/jobs/{job_id}/items")).json["data"]
    for item in (dead, retrying, skipped, good):
        assert INSTANT.fullmatch(item.pop("createdAt"))
        assert INSTANT.fullmatch(item.pop("updatedAt"))
    plain = {
        "reason": None,
        "attempts": 1,
        "errorCode": None,
        "lastError": None,
        "lockedBy": None,
        "lockedUntil": None,
        "nextAttemptAt": None,
        "result": None,
        "skipReason": None,
        "replacedBy": None,
    }

    def named(seq: int, status: str, **more: object) -> dict[str, object]:
        ids = {"id": f"{job_id}:{seq}", "seq": seq, "sourceRowId": seq, "idempotencyKey": f"{job_id}/{seq}"}
        return {**ids, "status": status, **plain, **more}

    failed = {"reason": "permanent", "errorCode": "Fatal", "lastError": "no such thing"}
    assert dead == named(1, "dead", **failed)
    assert INSTANT.fullmatch(retrying.pop("nextAttemptAt"))
    due = named(2, "retrying", errorCode="Broken", lastError="it broke")
    del due["nextAttemptAt"]
    assert retrying == due
    assert skipped == named(3, "skipped", skipReason="not applicable")
    assert good == named(4, "succeeded")
    held = (await quiet.get(f"/jobs/{job_id}/items?status=processing&limit=1")).json["data"][0]
    workers = {row["incarnation"] for row in await world.store.workers.list()}
    assert held["lockedBy"] in workers
    assert INSTANT.fullmatch(held["lockedUntil"])


async def test_every_filter_finds_all_of_its_items_and_no_others(quiet: Client) -> None:
    job_id = await mixed(quiet)
    statuses = await expected(quiet, job_id)
    everything = [item for page in await quiet.pages(f"/jobs/{job_id}/items?limit=7") for item in page]
    assert {item["seq"]: item["status"] for item in everything} == statuses
    assert len(everything) == 40
    for status in ("pending", "processing", "retrying", "succeeded", "skipped", "dead", "cancelled"):
        wanted = [seq for seq, one in statuses.items() if one == status]
        for limit in (1, 3, 4, 100):
            pages = await quiet.pages(f"/jobs/{job_id}/items?status={status}&limit={limit}")
            assert [item["seq"] for page in pages for item in page] == wanted, (status, limit)
            assert all(len(page) <= limit for page in pages)
        inside = [seq for seq in wanted if 11 <= seq <= 20]
        pages = await quiet.pages(f"/batches/{job_id}-2/items?status={status}&limit=2")
        assert [item["seq"] for page in pages for item in page] == inside, status
    for code, count in (("Fatal", 5), ("Broken", 5), ("none", 0)):
        pages = await quiet.pages(f"/jobs/{job_id}/items?errorCode={code}&limit=2")
        found = [item for page in pages for item in page]
        assert [item["errorCode"] for item in found] == [code] * count
    pages = await quiet.pages(f"/jobs/{job_id}/items?errorCode=Broken&status=dead&limit=2")
    assert [item for page in pages for item in page] == []


async def test_skip_and_take_inside_a_batch(quiet: Client) -> None:
    job_id = await mixed(quiet)
    pages = await quiet.pages(f"/batches/{job_id}-2/items?skip=1&take=4")
    assert [[item["seq"] for item in page] for page in pages] == [[12, 13, 14, 15], [16, 17, 18, 19], [20]]
    assert [item["seq"] for item in (await quiet.get(f"/batches/{job_id}-2/items")).json["data"]] == [
        *range(11, 21)
    ]
    pages = await quiet.pages(f"/batches/{job_id}-2/items?after=15&limit=3")
    assert [[item["seq"] for item in page] for page in pages] == [[16, 17, 18], [19, 20]]
    answer = await quiet.get(f"/batches/{job_id}-9/items")
    assert (answer.status, answer.problem) == (404, "not-found")


async def test_one_item_shows_every_attempt_and_lapse(quiet: Client) -> None:
    world = quiet.world
    job_id = await world.job(3)
    lost = await world.worker(timedelta(hours=1))
    claimed = await world.claim_one(lost)
    await world.die(lost)
    await world.duties.recover()
    await world.run({2: FATAL})
    item = (await quiet.get(f"/jobs/{job_id}/items/2")).json
    assert (item["batchId"], item["maxAttempts"], item["purgedAt"]) == (f"{job_id}-1", 3, None)
    assert item["payload"] == {"a": 1}
    (attempt,) = item["attemptsLog"]
    assert attempt.keys() == {"attempt", "worker", "fence", "startedAt", "endedAt", "code", "error"}
    assert (attempt["attempt"], attempt["code"], attempt["error"]) == (1, "Fatal", "no such thing")
    assert attempt["fence"] > claimed.fence
    (lapse,) = item["lapses"]
    assert INSTANT.fullmatch(lapse.pop("claimedAt"))
    assert INSTANT.fullmatch(lapse.pop("lapsedAt"))
    assert lapse == {"fence": claimed.fence, "worker": lost, "kind": "lapsed", "charged": True}
    (listed,) = (await quiet.get(f"/jobs/{job_id}/lapses")).json["data"]
    assert (listed["firstSeq"], listed["lastSeq"], listed["worker"]) == (1, 3, lost)
    answer = await quiet.get(f"/jobs/{job_id}/items/4")
    assert (answer.status, answer.problem) == (404, "not-found")


async def test_a_mended_line_shows_what_replaced_the_dead_one(quiet: Client) -> None:
    world = quiet.world
    first = await world.job(entries(["k", "other"], '{"a": 1}'))
    await world.run({1: FATAL})
    second = await world.job(entries(["new", "k"], '{"a": 2}'))
    by = {"jobId": second, "seq": 2}
    assert (await quiet.get(f"/jobs/{first}/items/1")).json["replacedBy"] == by
    listed = (await quiet.get(f"/jobs/{first}/items")).json["data"]
    assert [item["replacedBy"] for item in listed] == [by, None]
    assert (await quiet.get(f"/jobs/{first}/dead-letter")).json["data"][0]["replacedBy"] == by


async def test_lapses_are_listed_page_by_page(quiet: Client) -> None:
    world = quiet.world
    job_id = await world.job(6, slice_size=2)
    for _ in range(2):
        worker = await world.worker()
        await world.claim(worker, 3)
        await world.die(worker)
        await world.duties.recover()
    pages = await quiet.pages(f"/jobs/{job_id}/lapses?limit=2")
    found = [(lapse["firstSeq"], lapse["fence"]) for page in pages for lapse in page]
    assert found == sorted(found)
    assert [seq for seq, _ in found] == [1, 1, 3, 3, 5, 5]
