"""Whatever a line came to, its number says it; whoever holds a key, the key says it."""

import json

from batchanator.domain.submission import Entry
from tests.api.client import Client
from tests.api.test_lines import ingest
from tests.contract.world import FATAL, entries


async def test_every_line_of_a_file_says_what_became_of_it(live: Client, tmp_path) -> None:
    lines = [
        b'{"idempotency_key": "a"}',
        b"",
        b"oops",
        b'{"idempotency_key": "a"}',
        b'{"idempotency_key": "b", "does": "skip"}',
        b'{"idempotency_key": "a", "does": "die"}',
        b"   ",
    ]
    job_id = await ingest(live, tmp_path, b"\n".join(lines) + b"\n")
    said: dict[int, str] = {}
    for number in range(9):
        answer = await live.get(f"/jobs/{job_id}/items/{number}")
        said[number] = answer.json["status"] if answer.status == 200 else answer.json["code"]
    assert said == {
        0: "line_blank",
        1: "succeeded",
        2: "line_blank",
        3: "rejected",
        4: "duplicate",
        5: "skipped",
        6: "duplicate",
        7: "line_blank",
        8: "line_not_read",
    }
    source = (await live.job(job_id))["source"]
    assert (source["lines"], source["accepted"], source["duplicates"], source["rejected"]) == (5, 2, 2, 1)


async def test_a_duplicate_names_who_holds_its_key_and_what_became_of_it(quiet: Client) -> None:
    world = quiet.world
    first = await world.job(entries(["a", "b", "c", "d"]))
    await world.run({3: FATAL})
    second = await world.job([*entries(["x", "a", "b", "c"]), *entries(["d"], '{"b": 2}')])
    item = (await quiet.get(f"/jobs/{second}/items/1")).json
    assert (item["duplicate"], item["reject"]) == (None, None)
    expected = {2: ("duplicate", 1, "succeeded", "a"), 3: ("duplicate", 2, "succeeded", "b")}
    expected |= {4: ("dead_holder", 3, "dead", "c"), 5: ("conflict", 4, "succeeded", "d")}
    for line, (kind, seq, status, key) in expected.items():
        told = (await quiet.get(f"/jobs/{second}/items/{line}")).json
        assert told.keys() == item.keys(), "one shape, whatever became of the line"
        assert (told["id"], told["jobId"], told["seq"]) == (f"{second}:{line}", second, line)
        assert (told["status"], told["idempotencyKey"], told["attempts"]) == ("duplicate", key, 0)
        holder = {"jobId": first, "seq": seq, "status": status, "replacedBy": None}
        assert told["duplicate"] == {"kind": kind, "holder": holder}
    mended = await world.job(entries(["c"], '{"mended": true}'))
    told = (await quiet.get(f"/jobs/{second}/items/4")).json
    assert told["duplicate"]["holder"]["replacedBy"] == {"jobId": mended, "seq": 1}


async def test_a_rejected_line_says_why_with_what_it_was(quiet: Client) -> None:
    world = quiet.world
    job_id = await world.job([*entries(["a"]), Entry("", b"{}", b"raw")])
    item = (await quiet.get(f"/jobs/{job_id}/items/1")).json
    told = (await quiet.get(f"/jobs/{job_id}/items/2")).json
    assert told.keys() == item.keys()
    assert (told["status"], told["idempotencyKey"], told["duplicate"]) == ("rejected", None, None)
    (listed,) = (await quiet.get(f"/jobs/{job_id}/rejects")).json["data"]
    assert told["reject"] == listed
    assert (listed["code"], listed["raw"]) == ("key_empty", "raw")


async def test_a_line_that_is_still_to_be_read_says_so(quiet: Client) -> None:
    job_id = await quiet.world.job(3, sealed=False)
    answer = await quiet.get(f"/jobs/{job_id}/items/4")
    assert (answer.status, answer.problem, answer.json["code"]) == (404, "not-found", "line_not_read_yet")
    assert answer.json["detail"] == f"line 4 of job {job_id} was not read yet: the source is read to line 3"
    assert (await quiet.get(f"/jobs/{job_id}/items/3")).status == 200
    answer = await quiet.get("/jobs/99/items/4")
    assert (answer.status, answer.json["detail"]) == (404, "there is no job 99")


async def test_a_key_leads_to_the_item_that_holds_it_now(quiet: Client) -> None:
    world = quiet.world
    first = await world.job(entries(["k", "ü/ &+\n"]))
    await world.run({1: FATAL})

    async def holder(key: str) -> list[str]:
        answer = await quiet.session.get(
            f"{quiet.base}/items", params={"jobType": "mail", "idempotencyKey": key}
        )
        told = json.loads(await answer.read())
        assert (answer.status, told["hasMore"], told["next"]) == (200, False, None)
        return [item["id"] for item in told["data"]]

    assert await holder("k") == [f"{first}:1"]
    assert await holder("ü/ &+\n") == [f"{first}:2"]
    assert await holder("nobody") == []
    second = await world.job(entries(["other", "k"], '{"mended": true}'))
    assert await holder("k") == [f"{second}:2"]
    (item,) = (await quiet.get("/items?jobType=mail&idempotencyKey=k")).json["data"]
    assert item == (await quiet.get(f"/jobs/{second}/items/2")).json


async def test_a_look_up_by_key_names_what_is_missing_or_wrong(quiet: Client) -> None:
    await quiet.world.job_type("mail")
    for query, pointer in (
        ("", "jobType"),
        ("?jobType=mail", "idempotencyKey"),
        ("?jobType=mail&idempotencyKey=", "idempotencyKey"),
        ("?jobType=mail&idempotencyKey=a%00b", "idempotencyKey"),
        (f"?jobType=mail&idempotencyKey={'k' * 513}", "idempotencyKey"),
        ("?jobType=mail&idempotencyKey=k&status=dead", "status"),
    ):
        answer = await quiet.get(f"/items{query}")
        assert (answer.status, answer.problem) == (422, "invalid-request"), query
        assert answer.json["errors"][0]["pointer"] == pointer
    answer = await quiet.get("/items?jobType=nail&idempotencyKey=k")
    assert (answer.status, answer.problem) == (422, "unknown-job-type")
