"""Triggers answer 202 once the work is committed, and name what is wrong where they refuse."""

import json

from tests.api.client import Client
from tests.contract.world import World


def lines(*keys: str) -> str:
    return "".join(json.dumps({"idempotency_key": key, "value": key}) + "\n" for key in keys)


async def test_a_file_is_answered_at_once_and_read_in_the_background(live: Client, tmp_path) -> None:
    (tmp_path / "in.ndjson").write_text(lines("a", "b") + "\nnot json\n")
    answer = await live.post("/jobs/echo/trigger/file", {"filePath": "in.ndjson"})
    assert answer.status == 202
    assert answer.headers["Location"] == f"/jobs/{answer.json['jobId']}"
    assert answer.json.keys() == {"jobId", "jobType", "status"}
    assert answer.json["jobType"] == "echo"
    job = await live.ended(answer.json["jobId"])
    assert (job["name"], job["source"]["kind"]) == ("in.ndjson", "file")
    counts = {name: job["source"][name] for name in ("lines", "accepted", "duplicates", "rejected")}
    assert counts == {"lines": 3, "accepted": 2, "duplicates": 0, "rejected": 1}
    assert (
        job["source"]["bytesRead"] == job["source"]["bytesTotal"] == (tmp_path / "in.ndjson").stat().st_size
    )
    assert job["status"] == "partially_completed"


async def test_an_absolute_path_and_a_name_of_ones_own(live: Client, tmp_path) -> None:
    (tmp_path / "in.ndjson").write_text(lines("a"))
    asked = {"filePath": str(tmp_path / "in.ndjson"), "jobName": "mine"}
    answer = await live.post("/jobs/echo/trigger/file", asked)
    assert (await live.ended(answer.json["jobId"]))["name"] == "mine"


async def test_the_same_file_again_is_a_job_of_duplicates(live: Client, tmp_path) -> None:
    (tmp_path / "in.ndjson").write_text(lines(*map(str, range(25))))
    first = (await live.post("/jobs/echo/trigger/file", {"filePath": "in.ndjson"})).json["jobId"]
    await live.ended(first)
    second = (await live.post("/jobs/echo/trigger/file", {"filePath": "in.ndjson"})).json["jobId"]
    job = await live.ended(second)
    assert (job["status"], job["source"]["duplicates"], job["counts"]["total"]) == ("completed", 25, 0)
    pages = await live.pages(f"/jobs/{second}/duplicates?limit=10")
    assert [len(page) for page in pages] == [10, 10, 5]
    held = [one for page in pages for one in page]
    assert held[3] == {
        "line": 4,
        "kind": "duplicate",
        "idempotencyKey": "3",
        "holder": {"jobId": first, "seq": 4},
    }
    assert [one["line"] for one in held] == list(range(1, 26))


async def test_staging_rows_become_a_job_and_leave_the_table(live: Client) -> None:
    nothing = await live.post("/jobs/echo/trigger/database")
    assert (nothing.status, list(nothing.json)) == (200, ["message"])
    world = World(live.serving.runtime.store, "")
    for key in ("a", "b"):
        await world.fetch(
            "INSERT INTO pending_work (job_type, idempotency_key, payload) VALUES ('echo', :key, :payload)",
            key=key,
            payload="{}",
        )
    answer = await live.post("/jobs/echo/trigger/database", {"options": {"priority": 3}})
    assert answer.status == 202
    job = await live.ended(answer.json["jobId"])
    assert (job["counts"]["succeeded"], job["source"]["kind"], job["priority"]) == (2, "database", 3)
    assert (await live.post("/jobs/echo/trigger/database", b"")).status == 200


async def test_direct_items_are_stored_before_the_answer(quiet: Client) -> None:
    body = {"jobName": "my-batch", "items": [{"idempotencyKey": "abc", "payloadJson": "{}"}]}
    answer = await quiet.post("/jobs/echo/trigger/items", body)
    assert (answer.status, answer.headers["Location"]) == (202, "/jobs/1")
    assert answer.json == {
        "jobId": 1,
        "jobType": "echo",
        "status": "processing",
        "accepted": 1,
        "duplicates": 0,
        "rejected": 0,
    }
    assert (await quiet.job(1))["name"] == "my-batch"


async def test_payloads_keep_the_bytes_that_came(quiet: Client) -> None:
    texts = ['{"a":1.10, "b":18446744073709551616}', '"\\u0000 \\u00e9"', "[ 1,\n2 ]", "null"]
    items = ",".join(f'{{"idempotencyKey":"k{n}","payload":{text}}}' for n, text in enumerate(texts))
    answer = await quiet.post("/jobs/echo/trigger/items", f'{{"items":[{items}]}}'.encode())
    assert answer.json["accepted"] == len(texts)
    for seq, text in enumerate(texts, 1):
        row = await quiet.get(f"/jobs/1/items/{seq}")
        assert f'"payload":{text}'.encode() in row.body


async def test_a_bad_item_is_a_reject_and_the_rest_goes_on(quiet: Client) -> None:
    bad = [
        "5", '{"idempotencyKey":"","payload":1}', '{"idempotencyKey":7,"payload":1}', '{"payload":1}',
        '{"idempotencyKey":"a"}', '{"idempotencyKey":"b","payload":NaN}', '{"idempotencyKey":"\\ud800","payload":1}',
        '{"idempotencyKey":"c","payload":' + "[" * 80 + "]" * 80 + "}",
        '{"idempotencyKey":"d","payloadJson":"nope"}', '{"idempotencyKey":"n\\u0000","payload":1}',
    ]  # fmt: skip
    good = ['{"idempotencyKey":"good","payload":{}}', '{"idempotencyKey":"good","payload":{}}']
    body = f'{{"items":[{",".join([*bad, *good])}]}}'.encode()
    answer = await quiet.post("/jobs/echo/trigger/items", body)
    assert {name: answer.json[name] for name in ("accepted", "duplicates", "rejected")} == {
        "accepted": 1,
        "duplicates": 1,
        "rejected": len(bad),
    }
    rejects = (await quiet.get("/jobs/1/rejects")).json["data"]
    assert [one["line"] for one in rejects] == list(range(1, len(bad) + 1))
    assert [one["raw"] for one in rejects] == bad
    assert rejects[7]["code"] == "too_deep"


REFUSED: tuple[tuple[str, object, int, str], ...] = (
    ("/jobs/echo/trigger/items", {"items": []}, 400, "no-items"),
    ("/jobs/echo/trigger/items", {}, 422, "invalid-request"),
    (
        "/jobs/nope/trigger/items",
        {"items": [{"idempotencyKey": "a", "payload": 1}]},
        422,
        "unknown-job-type",
    ),
    ("/jobs/nope/trigger/file", {"filePath": "x"}, 422, "unknown-job-type"),
    ("/jobs/nope/trigger/database", None, 422, "unknown-job-type"),
    ("/jobs/echo/trigger/file", {"filePath": 5}, 422, "invalid-request"),
    ("/jobs/echo/trigger/file", {"filePath": "x", "jobName": "a\n"}, 422, "invalid-request"),
    ("/jobs/echo/trigger/file", [], 422, "invalid-request"),
)


async def test_what_is_refused_is_named(quiet: Client) -> None:
    for path, body, status, kind in REFUSED:
        answer = await quiet.post(path, body)
        assert (answer.status, answer.problem) == (status, kind), path
        if kind == "unknown-job-type":
            assert answer.json["known"] == ["echo", "slices", "threaded"]
            assert "echo" in answer.json["detail"]


async def test_every_path_that_is_no_file_below_a_root_gets_the_same_answer(quiet: Client, tmp_path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder").mkdir()
    answers = {
        (await quiet.post("/jobs/echo/trigger/file", {"filePath": path})).body
        for path in (
            "",
            "missing",
            "/etc/passwd",
            "../x",
            "link",
            "folder",
            "a\0b",
            "file:///etc/passwd",
            "x" * 5000,
        )
    }
    assert len(answers) == 1
    assert b"not-found" in answers.pop()
