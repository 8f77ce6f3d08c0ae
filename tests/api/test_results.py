"""Results come in input order, in every state of the job, and never pass something unfinished in silence."""

import json

from tests.api.client import Answer, Client
from tests.contract.world import FATAL, GOOD, LATER, SKIP, entries
from tests.contract.world import Answer as Said


def seqs(answer: Answer) -> list[int]:
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    return [line["seq"] for line in answer.lines if "seq" in line]


async def test_result_lines_have_the_documented_shape(live: Client) -> None:
    plans = [{"value": [1]}, {"does": "die"}, {"does": "skip"}, {"does": "succeed"}]
    job_id = await live.items(*plans)
    await live.ended(job_id)
    answer = await live.get(f"/jobs/{job_id}/results")
    good, dead, skipped, empty = answer.lines
    for line in (good, dead, skipped, empty):
        assert line.pop("startedAt") <= line.pop("finishedAt")
    plain = {"attempts": 1, "result": None, "error": None}
    assert good == {"seq": 1, "idempotencyKey": "k1", "status": "succeeded", **plain, "result": [1]}
    error = {"code": "hopeless", "message": "it never works"}
    assert dead == {
        "seq": 2,
        "idempotencyKey": "k2",
        "status": "dead",
        **plain,
        "error": error,
        "input": {"does": "die"},
    }
    assert skipped == {
        "seq": 3,
        "idempotencyKey": "k3",
        "status": "skipped",
        **plain,
        "skipReason": "not wanted",
    }
    assert empty == {"seq": 4, "idempotencyKey": "k4", "status": "succeeded", **plain}


async def test_pages_follow_each_other_in_input_order(quiet: Client) -> None:
    world = quiet.world
    job_id = await world.job(25, slice_size=4, chunk=10)
    await world.run({3: FATAL, 14: SKIP})
    found, at, pages = [], f"/jobs/{job_id}/results?limit=10", 0
    while at:
        answer = await quiet.get(at)
        assert answer.headers["Batchanator-Complete"] == "true"
        found += seqs(answer)
        at, pages = answer.next or "", pages + 1
    assert (found, pages) == (list(range(1, 26)), 3)
    assert seqs(await quiet.get(f"/jobs/{job_id}/results")) == found
    assert seqs(await quiet.get(f"/jobs/{job_id}/results?after=20&order=input")) == [21, 22, 23, 24, 25]
    assert seqs(await quiet.get(f"/jobs/{job_id}/results?status=dead")) == [3]
    assert seqs(await quiet.get(f"/jobs/{job_id}/results?status=skipped&limit=1")) == [14]
    assert seqs(await quiet.get(f"/jobs/{job_id}/results?status=cancelled&limit=1")) == []
    good = seqs(await quiet.get(f"/jobs/{job_id}/results?status=succeeded"))
    assert good == [seq for seq in found if seq not in {3, 14}]


async def test_unfinished_items_stand_in_their_place_or_are_said_to_be_passed(quiet: Client) -> None:
    world = quiet.world
    job_id = await world.job(12, slice_size=4, chunk=4)
    worker = await world.worker()
    first, second, _third = await world.claim(worker, 3)
    await world.settle(worker, first)
    await world.settle(worker, second, {6: LATER})
    path = f"/jobs/{job_id}/results"
    page = await quiet.get(f"{path}?limit=4")
    assert (seqs(page), page.headers["Batchanator-Complete"]) == ([1, 2, 3, 4], "true")
    page = await quiet.get(f"{path}?limit=4&after=4")
    assert page.headers["Batchanator-Complete"] == "false"
    assert [line["status"] for line in page.lines] == ["succeeded", "unprocessed", "succeeded", "succeeded"]
    assert page.lines[1] == {
        "seq": 6,
        "idempotencyKey": f"{job_id}/6",
        "status": "unprocessed",
        "attempts": 1,
        "result": None,
        "error": {"code": "Broken", "message": "it broke"},
        "startedAt": None,
        "finishedAt": None,
        "input": {"a": 1},
    }
    page = await quiet.get(f"{path}?limit=4&after=4&status=succeeded")
    assert (seqs(page), page.headers["Batchanator-Complete"]) == ([5, 7, 8], "false")
    assert seqs(await quiet.get(f"{path}?status=unprocessed&limit=100")) == [6, 9, 10, 11, 12]
    whole = await quiet.get(path)
    assert (seqs(whole), whole.lines[-1]) == (list(range(1, 13)), {"complete": False})
    await world.settle(worker, _third)
    await quiet.post(f"/jobs/{job_id}/cancel")
    await world.duties.sweep()
    whole = await quiet.get(path)
    assert [line["status"] for line in whole.lines if line["seq"] in {6, 7}] == ["cancelled", "succeeded"]
    assert seqs(whole) == list(range(1, 13))


async def test_a_job_that_is_still_read_is_not_complete(quiet: Client) -> None:
    world = quiet.world
    job_id = await world.job(4, sealed=False)
    await world.run()
    path = f"/jobs/{job_id}/results"
    page = await quiet.get(f"{path}?limit=10")
    assert (seqs(page), page.headers["Batchanator-Complete"], page.next) == ([1, 2, 3, 4], "false", None)
    page = await quiet.get(f"{path}?limit=2")
    assert (page.headers["Batchanator-Complete"], page.next) == ("true", f"{path}?limit=2&after=2")
    assert (await quiet.get(path)).lines[-1] == {"complete": False}
    empty = await world.empty_job()
    answer = await quiet.get(f"/jobs/{empty}/results")
    assert answer.lines == [{"complete": False}]


async def test_inputs_come_back_on_one_line_with_the_numbers_they_had(quiet: Client) -> None:
    text = '{\r\n  "a": 1.10,\n "b": 18446744073709551616, "c": "x\\ny"}'
    job_id = await quiet.world.job(entries(["k"], text))
    await quiet.world.run({1: FATAL})
    answer = await quiet.get(f"/jobs/{job_id}/results")
    assert answer.body.count(b"\n") == 1
    assert b'"a": 1.10' in answer.body
    assert b"18446744073709551616" in answer.body
    assert answer.lines[0]["input"] == json.loads(text)


async def test_a_stream_is_read_page_by_page(quiet: Client) -> None:
    job_id = await quiet.world.job(1203, chunk=500)
    await quiet.world.run({seq: FATAL if seq % 2 else GOOD for seq in range(1, 1204)})
    assert seqs(await quiet.get(f"/jobs/{job_id}/results")) == list(range(1, 1204))
    dead = await quiet.get(f"/jobs/{job_id}/results?status=dead")
    assert seqs(dead) == list(range(1, 1204, 2))


async def test_large_inputs_are_written_in_pieces(quiet: Client) -> None:
    payload = json.dumps({"text": "x" * 700_000})
    job_id = await quiet.world.job(entries([f"k{n}" for n in range(20)], payload))
    await quiet.world.run(dict.fromkeys(range(1, 21), Said("dead", error="no", reason="permanent")))
    answer = await quiet.get(f"/jobs/{job_id}/results?limit=100")
    assert seqs(answer) == list(range(1, 21))
    assert all(line["input"] == {"text": "x" * 700_000} for line in answer.lines)
