"""The same Idempotency-Key with the same request is the same job."""

import asyncio
import json

from tests.api.client import Answer, Client

BODY = {"items": [{"idempotencyKey": "a", "payload": {}}]}
ITEMS = "/jobs/echo/trigger/items"


async def send(client: Client, key: str, body: object = BODY, path: str = ITEMS) -> Answer:
    return await client.post(path, body, headers={"Idempotency-Key": key})


async def test_the_same_request_again_gets_the_same_job(quiet: Client, tmp_path) -> None:
    (tmp_path / "in.ndjson").write_text(json.dumps({"idempotency_key": "x"}))
    file = "/jobs/echo/trigger/file"
    for path, body in ((ITEMS, BODY), (file, {"filePath": "in.ndjson"})):
        first, again = await send(quiet, path, body, path), await send(quiet, path, body, path)
        assert (first.status, again.status) == (202, 202)
        assert "Idempotency-Replayed" not in first.headers
        assert again.headers["Idempotency-Replayed"] == "true"
        assert (again.json, again.headers["Location"]) == (first.json, first.headers["Location"])
    assert len((await quiet.get("/jobs")).json["data"]) == 2


async def test_a_replay_does_not_need_the_file_any_more(quiet: Client, tmp_path) -> None:
    file = tmp_path / "in.ndjson"
    file.write_text(json.dumps({"idempotency_key": "x"}))
    first = await send(quiet, "k", {"filePath": "in.ndjson"}, "/jobs/echo/trigger/file")
    file.unlink()
    again = await send(quiet, "k", {"filePath": "in.ndjson"}, "/jobs/echo/trigger/file")
    assert (again.status, again.json["jobId"]) == (202, first.json["jobId"])


async def test_another_request_with_the_key_is_refused(quiet: Client) -> None:
    await send(quiet, "k")
    other_body = await send(quiet, "k", {"items": BODY["items"] * 2})
    other_path = await send(quiet, "k", BODY, "/jobs/threaded/trigger/items")
    for answer in (other_body, other_path):
        assert (answer.status, answer.problem) == (422, "idempotency-key-reused")
    assert len((await quiet.get("/jobs")).json["data"]) == 1


async def test_a_request_that_failed_leaves_its_key_free(quiet: Client) -> None:
    assert (await send(quiet, "k", {"items": []})).status == 400
    assert (await send(quiet, "k", BODY, "/jobs/nope/trigger/items")).status == 422
    answer = await send(quiet, "k")
    assert (answer.status, "Idempotency-Replayed" in answer.headers) == (202, False)


async def test_many_at_once_make_one_job(quiet: Client) -> None:
    answers = await asyncio.gather(*[send(quiet, "k") for _ in range(20)])
    jobs = {answer.json["jobId"] for answer in answers if answer.status == 202}
    assert len(jobs) == 1
    for answer in answers:
        if answer.status != 202:
            assert (answer.status, answer.problem) == (409, "request-in-progress")
            assert answer.headers["Retry-After"] == "1"
    assert len((await quiet.get("/jobs")).json["data"]) == 1


async def test_many_others_at_once_are_refused(quiet: Client) -> None:
    bodies = [{"items": [{"idempotencyKey": str(n), "payload": {}}]} for n in range(20)]
    answers = await asyncio.gather(*[send(quiet, "k", body) for body in bodies])
    assert sorted({answer.status for answer in answers}) == [202, 422]
    assert [answer.status for answer in answers].count(202) == 1


async def test_the_same_file_many_times_at_once_without_a_key(quiet: Client, tmp_path) -> None:
    (tmp_path / "in.ndjson").write_text(json.dumps({"idempotency_key": "x"}))
    asked = [quiet.post("/jobs/echo/trigger/file", {"filePath": "in.ndjson"}) for _ in range(20)]
    answers = await asyncio.gather(*asked)
    assert len({answer.json["jobId"] for answer in answers}) == 20


async def test_a_key_that_is_not_usable_is_refused(quiet: Client) -> None:
    for key in ("", "x" * 256, "a\u00a0b", "\udcff"):
        answer = await send(quiet, key)
        assert (answer.status, answer.problem) == (400, "bad-idempotency-key")


async def test_the_longest_key_and_two_keys(quiet: Client) -> None:
    assert (await send(quiet, "x" * 255)).status == 202
    two = await quiet.post(ITEMS, BODY, headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")])
    assert (two.status, two.problem) == (400, "bad-idempotency-key")
