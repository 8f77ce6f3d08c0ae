"""Whatever comes as a body, the answer is a problem that names the fault, and never a 5xx."""

from itertools import product

import pytest

from batchanator.api.entries import entries_of, parse_items
from batchanator.api.problems import ProblemError
from tests.api.client import Client

DEEP = b"[" * 100_000 + b"]" * 100_000
NO_JSON = [
    b"{", b"nope", b"\xff\xfe", b'{"a": "\xff"}', b"{'a': 1}", DEEP, b'{"a":' + DEEP + b"}", b"\xef\xbb\xbf{}",
    b'{"jobType": "\x01"}', b"{} {}", b'{"a": 1' + b"0" * 400 + b"e}", b"\0", b'{"filePath": 5',
]  # fmt: skip
NO_REQUEST = [
    b"[]",
    b"5",
    b'"x"',
    b"null",
    b"true",
    b'{"jobType": {}}',
    b'{"items": 5, "filePath": []}',
    b"1" * 5000,
]
PATHS = [
    "/jobs/echo/trigger/items",
    "/jobs/echo/trigger/file",
    "/jobs/echo/trigger/database",
    "/process",
    "/process/batch",
]


async def test_bodies_that_are_no_json_or_no_request(quiet: Client) -> None:
    for body, path in product(NO_JSON, PATHS):
        answer = await quiet.post(path, body)
        assert answer.status in {400, 413}, (body[:50], answer)
        assert answer.problem in {"not-json", "too-large"}
    for body, path in product(NO_REQUEST, PATHS):
        answer = await quiet.post(path, body)
        assert (answer.status, answer.problem) in {(422, "invalid-request"), (400, "not-json")}, body[:50]
    assert (await quiet.get("/jobs")).json["data"] == []


async def test_an_empty_body_where_one_is_needed(quiet: Client) -> None:
    for path in ("/jobs/echo/trigger/items", "/jobs/echo/trigger/file", "/process", "/process/batch"):
        answer = await quiet.post(path, b"")
        assert (answer.status, answer.problem) == (400, "not-json")


async def test_another_charset_is_refused(quiet: Client) -> None:
    for charset in ("bogus", "utf-16", "latin-1", '"', "\udcff"):
        headers = {"Content-Type": f"application/json; charset={charset}"}
        answer = await quiet.post("/jobs/echo/trigger/items", b'{"items":[]}', headers=headers)
        assert answer.problem in {"not-json", "no-items"}
        assert answer.status == 400


async def test_an_encoded_body_is_not_unpacked(quiet: Client) -> None:
    for encoding in ("gzip", "deflate", "br", "zstd", "bogus"):
        answer = await quiet.post(PATHS[0], b"x", headers={"Content-Encoding": encoding})
        assert (answer.status, answer.problem) == (415, "content-encoding")
    answer = await quiet.post(PATHS[0], b'{"items":[]}', headers={"Content-Encoding": "identity"})
    assert answer.problem == "no-items"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"items":[],"jobname":"x"}', "/jobname"),
        (b'{"items":5}', "/items"),
        (b'{"items":[NaN],"other":1}', "/other"),
        (b'{"items":[],"jobName":5}', "/jobName"),
        (b'{"items":[],"options":{"a/b~":5}}', "/options/a~1b~0"),
        (b"[]", ""),
    ],
)
def test_a_wrong_field_is_named_by_a_json_pointer(body: bytes, pointer: str) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_items(body)
    assert [error["pointer"] for error in caught.value.errors] == [pointer]
    assert "`" not in caught.value.detail


def test_the_lenient_way_finds_the_same_items_as_the_strict_one() -> None:
    items = b'{"idempotencyKey" : "a", "payload": {"x": [1.10, "}]"]} }, {"idempotencyKey":"b","payloadJson":"[1]"}'
    plain = b'{ "jobName": "n", "items" : [' + items + b'], "options": {"strict": true} }'
    strict = parse_items(plain)
    lenient = parse_items(plain.replace(b"]}", b'], "bad": "\\ud800"}', 1).replace(b'"n"', b'"n"'))
    assert (lenient.job_name, lenient.options) == (strict.job_name, strict.options)
    first, second = entries_of(strict.items)
    assert (first.key, first.payload) == ("a", b'{"x": [1.10, "}]"]}')
    assert (second.key, second.payload) == ("b", b"[1]")
    assert entries_of(lenient.items)[1] == second


def test_of_two_payloads_the_one_that_is_there_counts() -> None:
    def payload(text: bytes) -> bytes | None:
        return entries_of(parse_items(b'{"items":[{"idempotencyKey":"a",' + text + b"}]}").items)[0].payload

    assert payload(b'"payload":null,"payloadJson":"1"') == b"1"
    assert payload(b'"payload":2,"payloadJson":null') == b"2"
    assert payload(b'"payload":2,"payloadJson":"1"') == b"2"
    assert payload(b'"payload":null') == b"null"
    assert payload(b'"payloadJson":{"a": 1.0}') == b'{"a": 1.0}'
    assert payload(b'"other":1') is None
