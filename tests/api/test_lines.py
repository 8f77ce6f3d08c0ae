"""Rejects, duplicates and errors: everything a line can come to is listed."""

import base64
import json

from tests.api.client import Client
from tests.contract.world import FATAL, LATER, Answer, entries


async def ingest(client: Client, folder, content: bytes) -> int:
    (folder / "in.ndjson").write_bytes(content)
    answer = await client.post("/jobs/echo/trigger/file", {"filePath": "in.ndjson"})
    job_id = int(answer.json["jobId"])
    await client.ended(job_id)
    return job_id


async def test_rejects_show_the_line_as_text_or_as_base64(live: Client, tmp_path) -> None:
    bad = [b"not json", b'{"idempotency_key": "a\xff"}', b"[1]", b'{"x": "\xc3\xa9"}']
    job_id = await ingest(live, tmp_path, b"\n".join(bad) + b"\n")
    pages = await live.pages(f"/jobs/{job_id}/rejects?limit=3")
    assert [len(page) for page in pages] == [3, 1]
    rejects = [reject for page in pages for reject in page]
    assert [reject["line"] for reject in rejects] == [1, 2, 3, 4]
    assert [reject["byteOffset"] for reject in rejects] == [0, 9, 35, 39]
    assert [reject["code"] for reject in rejects] == ["not_json", "not_utf8", "not_object", "key_missing"]
    assert [reject["rawEncoding"] for reject in rejects] == ["utf-8", "base64", "utf-8", "utf-8"]
    assert base64.b64decode(rejects[1]["raw"]) == bad[1]
    assert (rejects[3]["raw"], rejects[3]["pointer"], rejects[3]["rawCut"]) == (
        bad[3].decode(),
        "/idempotency_key",
        False,
    )


async def test_a_file_sent_again_that_holds_only_duplicates_and_rejects_says_why_it_failed(
    live: Client, tmp_path
) -> None:
    content = b'{"idempotency_key": "a"}\nnot json\n{"idempotency_key": "b"}\n'
    first = await live.job(await ingest(live, tmp_path, content))
    assert (first["status"], first["statusReason"]) == ("partially_completed", None)
    again = await live.job(await ingest(live, tmp_path, content))
    assert (again["status"], again["statusReasonCode"]) == ("failed", "nothing_succeeded")
    assert again["statusReason"] == "no line succeeded or was skipped: 1 rejected, 2 duplicate"
    good = await live.job(await ingest(live, tmp_path, content.replace(b"not json\n", b"")))
    assert (good["status"], good["statusReason"]) == ("completed", None)


async def test_a_long_rejected_line_is_cut_and_says_so(live: Client, tmp_path) -> None:
    job_id = await ingest(live, tmp_path, "é".encode() * 40_000 + b"\n" + b"x" + "é".encode() * 40_000)
    rejects = (await live.get(f"/jobs/{job_id}/rejects")).json["data"]
    assert [reject["rawCut"] for reject in rejects] == [True, True]
    assert [reject["rawEncoding"] for reject in rejects] == ["utf-8", "utf-8"]
    assert [len(reject["raw"].encode()) for reject in rejects] == [65_536, 65_535]


async def test_a_page_of_rejects_is_bounded_in_bytes(live: Client, tmp_path) -> None:
    job_id = await ingest(live, tmp_path, (b"x" * 65_536 + b"\n") * 200)
    pages = await live.pages(f"/jobs/{job_id}/rejects?limit=1000")
    assert [reject["line"] for page in pages for reject in page] == list(range(1, 201))
    assert len(pages) == 2


async def test_duplicates_name_the_holder_of_each_key(quiet: Client) -> None:
    world = quiet.world
    first = await world.job(entries(["a", "b", "c", "d", "e"]))
    await world.run({4: FATAL})
    lines = [*entries(["x", "a", "b", "c"]), *entries(["e"], '{"b": 2}'), *entries(["d"]), *entries(["x"])]
    second = await world.job(lines)
    pages = await quiet.pages(f"/jobs/{second}/duplicates?limit=2")
    assert [len(page) for page in pages] == [2, 2, 2]
    found = [
        (one["line"], one["kind"], one["holder"]["jobId"], one["holder"]["seq"]) for p in pages for one in p
    ]
    assert found == [
        (2, "duplicate", first, 1),
        (3, "duplicate", first, 2),
        (4, "duplicate", first, 3),
        (5, "conflict", first, 5),
        (6, "dead_holder", first, 4),
        (7, "duplicate", second, 1),
    ]
    assert [one["idempotencyKey"] for page in pages for one in page] == ["a", "b", "c", "e", "d", "x"]


async def test_errors_are_counted_by_code_with_a_sample(quiet: Client) -> None:
    world = quiet.world
    job_id = await world.job(8)
    await world.run({2: FATAL, 5: LATER, 6: LATER, 7: Answer("skipped", error="no")})
    answer = await quiet.get(f"/jobs/{job_id}/errors")
    assert answer.json["data"] == [
        {"code": "Broken", "count": 2, "sample": "it broke", "firstSeq": 5},
        {"code": "Fatal", "count": 1, "sample": "no such thing", "firstSeq": 2},
    ]
    assert len((await quiet.get(f"/jobs/{job_id}/errors?limit=1")).json["data"]) == 1


async def test_lists_of_a_job_without_any_are_empty(quiet: Client) -> None:
    job_id = await quiet.items({})
    for name in ("rejects", "duplicates", "lapses", "errors", "dead-letter"):
        answer = await quiet.get(f"/jobs/{job_id}/{name}")
        assert answer.json == {"data": [], "hasMore": False, "next": None}


async def test_hostile_texts_come_out_as_they_went_in(live: Client) -> None:
    text = "<script>alert(1)</script> \u202e \u0000 \u2028 \U0001f600"
    job_id = await live.items({"does": "raise", "value": text}, prefix=text.replace("\0", ""), jobName="<b>")
    await live.ended(job_id)
    answer = await live.get(f"/jobs/{job_id}/items/1")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.json["payload"] == {"does": "raise", "value": text}
    assert answer.json["lastError"] == "ValueError: " + text.replace("\0", "\ufffd")
    assert json.loads((await live.get(f"/jobs/{job_id}")).body)["name"] == "<b>"
