from __future__ import annotations

import json
from time import perf_counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchanator.ingest.nesting import depth_of
from batchanator.ingest.verdicts import KEY, Refusal, RejectCode, check_key, check_payload, judge, refusal
from tests.corpus.evil import ACCEPTED, EVIL, REJECTED, Evil, nested

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("evil", ACCEPTED, ids=lambda evil: evil.name)
def test_accepted(evil: Evil) -> None:
    assert judge(evil.line) == evil.key


@pytest.mark.parametrize("evil", REJECTED, ids=lambda evil: evil.name)
def test_rejected_with_a_stable_code_and_one_storable_line(evil: Evil) -> None:
    verdict = judge(evil.line)
    assert isinstance(verdict, Refusal)
    assert verdict.code is evil.code
    assert verdict.message.isprintable()
    assert verdict.message.encode()
    assert verdict.pointer == ("/idempotency_key" if verdict.code.startswith("key_") else "")


def test_every_code_is_in_the_corpus() -> None:
    assert {evil.code for evil in EVIL} | {RejectCode.TOO_LONG} == {None, *RejectCode}


def test_codes_never_change() -> None:
    assert [str(code) for code in RejectCode] == [
        "too_long", "not_utf8", "bom_inside", "too_deep", "not_json", "not_object",
        "key_twice", "key_missing", "key_not_string", "key_empty", "key_has_nul", "key_too_long",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("k", None),
        ("x" * 512, None),
        ("é" * 256, None),
        ("x" * 513, RejectCode.KEY_TOO_LONG),
        ("é" * 257, RejectCode.KEY_TOO_LONG),
        ("", RejectCode.KEY_EMPTY),
        ("a\0", RejectCode.KEY_HAS_NUL),
        ("\ud800", RejectCode.NOT_UTF8),
        (None, RejectCode.KEY_NOT_STRING),
        (b"k", RejectCode.KEY_NOT_STRING),
    ],
)
def test_check_key(key: object, code: RejectCode | None) -> None:
    assert check_key(key) == code


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"null", None),
        (b"[1,2]", None),
        (b'{"idempotency_key":1,"idempotency_key":2}', None),
        (b'{\n "a": 1\r\n}', None),
        (b"1e400", RejectCode.NOT_JSON),
        (b"", RejectCode.NOT_JSON),
        (b'"\xff"', RejectCode.NOT_UTF8),
        (nested(65), RejectCode.TOO_DEEP),
        (b'"' + b"x" * 98 + b'"', None),
        (b'"' + b"x" * 99 + b'"', RejectCode.TOO_LONG),
    ],
)
def test_check_payload(raw: bytes, code: RejectCode | None) -> None:
    refused = check_payload(raw, max_bytes=100 if code is RejectCode.TOO_LONG or len(raw) == 100 else 1 << 20)
    assert (refused and refused.code) == code


@pytest.mark.parametrize(("length", "cut"), [(64 << 10, False), ((64 << 10) + 1, True)])
def test_a_reject_keeps_64_kib_and_says_so(length: int, cut: bool) -> None:
    reject = refusal(RejectCode.NOT_JSON, "why").at(7, b"x" * length, byte_offset=9)
    assert (reject.line, reject.byte_offset, reject.message) == (7, 9, "not valid JSON: why")
    assert (len(reject.raw), reject.raw_cut) == (64 << 10, cut)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.just(f'"{KEY}"'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just(KEY), inner),
)


@unhurried
@given(st.dictionaries(st.text(), JSON), st.text(min_size=1, max_size=128), st.booleans())
def test_any_object_with_one_good_key_is_an_item(
    members: dict[str, object], key: str, ascii_only: bool
) -> None:
    key = key.replace("\0", "0")
    text = json.dumps(members | {KEY: key}, ensure_ascii=ascii_only).encode()
    assert judge(text) == key


@unhurried
@given(JSON)
def test_depth_is_that_of_the_value(value: object) -> None:
    def deep(value: object) -> int:
        if isinstance(value, dict):
            return 1 + max(map(deep, value.values()), default=0)
        return 1 + max(map(deep, value), default=0) if isinstance(value, list) else 0

    many = b"[" + b"[]," * 65 + json.dumps(value).encode() + b"]"
    assert depth_of(many) == 1 + max(1, deep(value))


@pytest.mark.parametrize(
    "text",
    [b'"' + rb"\"" * 500_000, b"[" * 1_000_000, b"[]," * 340_000, b'{"a":"[\\"' * 100_000, b'"' * 1_000_000],
)
def test_hostile_text_is_judged_in_linear_time(text: bytes) -> None:
    began = perf_counter()
    assert isinstance(judge(text), Refusal)
    assert perf_counter() - began < 2
