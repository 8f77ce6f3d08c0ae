"""What is judged as a whole is judged as it would be line by line."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from batchanator.ingest.chunk import Chunk, judge_each, parse_chunk
from batchanator.ingest.lines import RawChunk
from batchanator.ingest.plain import plain

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.builds(
    lambda key, rest: orjson.dumps({**rest, "idempotency_key": key}),
    st.text(min_size=1, max_size=6) | st.sampled_from(["a", "b", "", 7, None, "x" * 600, "\0"]),
    st.dictionaries(st.text(max_size=4), VALUES, max_size=3),
)
ODD = st.sampled_from(
    [
        b"",
        b"   ",
        b"[]",
        b'"text"',
        b"{}",
        b"nonsense",
        b'{"idempotency_key":"1","idempotency_key":"2"}',
        b'{"idempotency\\u005fkey":"1"}',
        b'{"idempotency\\u005fkey":"1","idempotency_key":"2"}',
        b'{"a":{"idempotency_key":"inner"}}',
        b'{"idempotency_key":"deep","a":' + b"[" * 64 + b"]" * 64 + b"}",
        b'{"idempotency_key":"deepest","a":' + b"[" * 63 + b"]" * 63 + b"}",
        b'{"idempotency_key":"wide","a":[' + b"[],{}," * 70 + b"1]}",
        b'{"idempotency_key":"\\u0000"}',
        b'{"idempotency_key":"quoted","a":"\\"idempotency_key\\""}',
        b'\xef\xbb\xbf{"idempotency_key":"bom"}',
        b'{"idempotency_key":"\xff"}',
    ]
)


def chunks_of(lines: list[bytes]) -> tuple[Chunk, Chunk]:
    raw = RawChunk(0, 0, lines=lines)
    empty = Chunk(1, len(lines), len(lines), 0, 0, b"")
    return parse_chunk(raw, first_line=1), judge_each(raw, lines, empty)


@given(st.lists(OBJECTS, min_size=1, max_size=8))
def test_a_chunk_of_objects_gets_the_verdicts_of_its_lines(lines: list[bytes]) -> None:
    at_once, each = chunks_of(lines)
    assert at_once == each


@given(st.lists(OBJECTS | ODD, min_size=1, max_size=4))
def test_a_chunk_with_odd_lines_gets_the_verdicts_of_its_lines(lines: list[bytes]) -> None:
    at_once, each = chunks_of(lines)
    assert at_once == each


def test_plain_lines_are_taken_at_once() -> None:
    lines = [
        b'{"idempotency_key":"%d","tags":["a",{"b":1}],"text":"a\\nb"}' % number for number in range(100)
    ]
    found = plain(lines)
    assert found is not None
    assert found.keys == [str(number) for number in range(100)]


def test_one_odd_line_among_many_is_not_plain() -> None:
    lines = [b'{"idempotency_key":"%d"}' % number for number in range(100)]
    for odd in (b"", b'{"idempotency_key":"5"}', b'{"idempotency_key":7}', b'{"k":1}'):
        assert plain([*lines, odd]) is None
