from __future__ import annotations

import io
import tracemalloc
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchanator.ingest.chunk import Chunk, payload_hash, read_chunks
from batchanator.ingest.lines import MAX_CHUNK_BYTES
from batchanator.ingest.verdicts import MAX_RAW_BYTES, Refusal, RejectCode, judge
from tests.corpus.evil import EVIL, Evil, evil_file

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

BOM = b"\xef\xbb\xbf"
LIMIT = 100


class Drip:
    """A source whose reads return as many bytes as `sizes` says, in turn, and never more than asked."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._file = io.BytesIO(data)
        self._sizes = sizes
        self._turn = 0

    def read(self, n: int, /) -> bytes:
        self._turn += 1
        return self._file.read(min(n, self._sizes[self._turn % len(self._sizes)]))


class Endless:
    """`count` bytes of one line, then a short one; nothing is kept."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._rest = io.BytesIO(b"\n" + item("after"))

    def read(self, n: int, /) -> bytes:
        take = min(n, self._left)
        self._left -= take
        return b"x" * take or self._rest.read(n)


def chunks_of(data: bytes, size: int = 1000, max_line_bytes: int = LIMIT) -> list[Chunk]:
    return list(read_chunks(io.BytesIO(data), size=size, max_line_bytes=max_line_bytes))


def item(key: str, body: str = "") -> bytes:
    return f'{{"idempotency_key":"{key}","a":"{body}"}}'.encode()


LINES = st.one_of(
    st.sampled_from([evil.line for evil in EVIL if len(evil.line) < 3 * LIMIT]),
    st.builds(item, st.sampled_from("abcdef"), st.text("xyz", max_size=3)),
    st.builds(lambda n: item("long", "x" * n)[: LIMIT + n - 3], st.integers(60, 140)),
    st.builds(lambda n: b"y" * n, st.integers(LIMIT - 2, LIMIT + 3)),
    st.builds(lambda n: b" " * n, st.integers(LIMIT - 2, LIMIT + 3)),
    st.sampled_from([b"", b"\r", BOM, b"\r\r"]),
)
FILES = st.builds(
    lambda bom, lines, end: bom + b"".join(lines) + end,
    st.sampled_from([b"", BOM, BOM + BOM]),
    st.lists(st.builds(lambda line, end: line + end, LINES, st.sampled_from([b"\n", b"\r\n"])), max_size=30),
    st.one_of(st.just(b""), LINES),
)


@unhurried
@given(FILES, st.integers(1, 40), st.lists(st.integers(1, 50), min_size=1, max_size=9))
def test_where_a_read_ends_changes_nothing(data: bytes, size: int, sizes: list[int]) -> None:
    dripped = list(read_chunks(Drip(data, sizes), size=size, max_line_bytes=LIMIT))
    assert dripped == chunks_of(data, size)


@unhurried
@given(FILES, st.integers(1, 40))
def test_the_size_of_chunks_changes_no_item_and_no_reject(data: bytes, size: int) -> None:
    whole, parts = chunks_of(data, 10**6), chunks_of(data, size)
    assert [reject for chunk in parts for reject in chunk.rejects] == [r for c in whole for r in c.rejects]
    first: dict[str, tuple[int, bytes, int]] = {}
    again = set()
    for chunk in parts:
        for seq, key, payload, digest in zip(
            chunk.seqs, chunk.keys, chunk.payloads, chunk.hashes, strict=True
        ):
            if first.setdefault(key, (seq, payload, digest))[0] != seq:
                again.add((seq, first[key][0], digest))
        again |= {(line, first[chunk.keys[index]][0], digest) for line, index, digest, _ in chunk.repeats}
    for chunk in whole:
        rows = zip(chunk.keys, chunk.seqs, chunk.payloads, chunk.hashes, strict=True)
        assert {key: (seq, payload, digest) for key, seq, payload, digest in rows} == first
        assert {(line, chunk.seqs[index], digest) for line, index, digest, _ in chunk.repeats} == again


@unhurried
@given(FILES, st.integers(1, 10))
def test_a_run_resumed_at_any_checkpoint_equals_an_undisturbed_one(data: bytes, size: int) -> None:
    chunks = chunks_of(data, size)
    for done, chunk in enumerate(chunks, 1):
        source = io.BytesIO(data)
        source.seek(chunk.end)
        rest = read_chunks(
            source,
            size=size,
            offset=chunk.end,
            first_line=chunk.first_line + chunk.physical,
            chain=chunk.chain,
            max_line_bytes=LIMIT,
        )
        assert list(rest) == chunks[done:]


@unhurried
@given(FILES, st.integers(1, 40))
def test_every_byte_and_line_is_accounted_for(data: bytes, size: int) -> None:
    chunks = chunks_of(data, size)
    physical = data.removeprefix(BOM).split(b"\n")
    if not physical[-1]:
        physical.pop()
    start = len(data) - len(data.removeprefix(BOM))
    offsets = [start]
    for text in physical:
        offsets.append(offsets[-1] + len(text) + 1)
    assert sum(chunk.physical for chunk in chunks) == len(physical)
    assert [chunk.offset for chunk in chunks] == [0, *(chunk.end for chunk in chunks[:-1])][: len(chunks)]
    assert not chunks or chunks[-1].end == len(data)
    chain, line = b"", 1
    for chunk in chunks:
        chain = sha256(chain + data[chunk.offset : chunk.end]).digest()
        assert chunk.chain == chain
        assert chunk.first_line == line
        assert chunk.lines == len(chunk.seqs) + len(chunk.repeats) + len(chunk.rejects)
        line += chunk.physical
        for seq, payload, digest in zip(chunk.seqs, chunk.payloads, chunk.hashes, strict=True):
            assert payload == physical[seq - 1].removesuffix(b"\r")
            assert digest == payload_hash(payload)
        for reject in chunk.rejects:
            assert reject.byte_offset == offsets[reject.line - 1]
            assert physical[reject.line - 1].startswith(reject.raw)
            assert not reject.raw_cut


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("limit", [6400, 1 << 20])
def test_the_evil_corpus_as_a_file(size: int, limit: int) -> None:
    data, rows = evil_file(limit)
    chunks = chunks_of(data, size, limit)
    codes = {reject.line: reject.code for chunk in chunks for reject in chunk.rejects}
    keys = {seq: key for chunk in chunks for seq, key in zip(chunk.seqs, chunk.keys, strict=True)}
    keys |= {line: chunk.keys[index] for chunk in chunks for line, index, _, _ in chunk.repeats}
    assert codes == {line: evil.code for line, evil in rows if evil.code}
    assert keys == {line: evil.key for line, evil in rows if evil.key and not evil.code}


@unhurried
@given(st.sampled_from(EVIL), st.integers(0, 600), st.binary(max_size=3), st.integers(0, 3))
def test_the_hot_loop_and_judge_agree(evil: Evil, at: int, put: bytes, drop: int) -> None:
    line = (evil.line[:at] + put + evil.line[at + drop :]).replace(b"\n", b" ").rstrip(b"\r")
    [chunk] = chunks_of(b"\n" + line + b"\n", max_line_bytes=1 << 20)
    verdict = judge(line)
    if not line.strip(b" \t\r"):
        assert (chunk.lines, chunk.rejects) == (0, [])
    elif isinstance(verdict, Refusal):
        assert [(r.code, r.pointer, r.message) for r in chunk.rejects] == [
            (verdict.code, verdict.pointer, verdict.message)
        ]
    else:
        assert (chunk.keys, chunk.payloads, chunk.rejects) == ([verdict], [line], [])


def test_a_line_of_exactly_the_limit_is_accepted_and_one_more_byte_is_not() -> None:
    exact, more = item("a", "x" * (LIMIT - len(item("a")))), item("b", "x" * (LIMIT + 1 - len(item("b"))))
    for end in (b"\n", b"\r\n", b""):
        [chunk] = chunks_of(exact + b"\n" + exact.replace(b'"a"', b'"c"', 1) + b"\r\n" + more + end)
        assert (chunk.seqs, chunk.keys) == ([1, 2], ["a", "c"])
        [reject] = chunk.rejects
        assert (reject.line, reject.code) == (3, RejectCode.TOO_LONG)


@pytest.mark.parametrize(
    ("data", "physical", "seqs"),
    [
        (b"", [], []),
        (BOM, [], []),
        (b"\n", [1], []),
        (b"\n\n \t\r\n", [3], []),
        (item("a"), [1], [1]),
        (item("a") + b"\n", [1], [1]),
        (BOM + item("a"), [1], [1]),
        (BOM + b"\n" + item("a"), [2], [2]),
        (b"\n\n" + item("a") + b"\n\n" + item("b") + b"\n\n", [6], [3, 5]),
        (item("a") + b"\r" + item("b"), [1], []),
        (item("a") + b"\r\n" + item("b") + b"\r", [2], [1, 2]),
    ],
)
def test_ends_of_lines_and_files(data: bytes, physical: list[int], seqs: list[int]) -> None:
    chunks = chunks_of(data)
    assert [chunk.physical for chunk in chunks] == physical
    assert [seq for chunk in chunks for seq in chunk.seqs] == seqs


def test_a_bom_is_dropped_at_the_start_only() -> None:
    [chunk] = chunks_of(BOM + item("a") + b"\n" + BOM + item("b"))
    assert chunk.payloads == [item("a")]
    assert [(r.line, r.byte_offset, r.code) for r in chunk.rejects] == [(2, 4 + len(item("a")), "bom_inside")]


def test_repeats_inside_a_chunk_name_their_first_and_keep_their_hash() -> None:
    lines = [item("a", "1"), item("b"), item("a", "1"), b"", item("a", "2")]
    [chunk] = chunks_of(b"\n".join(lines))
    assert chunk.keys == ["a", "b"]
    assert chunk.repeats == [(3, 0, chunk.hashes[0], lines[2]), (5, 0, payload_hash(lines[4]), lines[4])]


def test_an_overlong_line_is_cut_and_never_held() -> None:
    tracemalloc.start()
    long, after = read_chunks(Endless(300 << 20), size=1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    [reject] = long.rejects
    assert (reject.code, len(reject.raw), reject.raw_cut) == (RejectCode.TOO_LONG, MAX_RAW_BYTES, True)
    assert (after.seqs, after.payloads, after.end) == (
        [2],
        [item("after")],
        (300 << 20) + 1 + len(item("after")),
    )
    assert peak < 6 << 20


@pytest.mark.parametrize("length", [(1 << 20) - 100, 3 << 20])
def test_long_lines_end_a_chunk_early_and_bound_memory(length: int) -> None:
    data = b"\n".join(item(f"k{n}", "x" * length) for n in range(40))
    tracemalloc.start()
    base = tracemalloc.get_traced_memory()[0]
    ends = []
    for chunk in read_chunks(io.BytesIO(data), size=1000):
        ends.append(chunk.end)
        assert chunk.physical == len(chunk.seqs) + len(chunk.rejects)
    peak = tracemalloc.get_traced_memory()[1] - base
    tracemalloc.stop()
    assert ends[-1] == len(data)
    assert max(end - start for start, end in pairwise([0, *ends])) < MAX_CHUNK_BYTES + length + 100
    assert peak < 5 * MAX_CHUNK_BYTES + (8 << 20)  # two chunks, buffers, and what orjson needs for 1 MiB


def test_a_line_that_comes_in_tiny_reads_is_not_copied_each_time() -> None:
    data = b"y" * 900_000 + b"\n"
    [chunk] = read_chunks(Drip(data, [100]), size=10)
    assert chunk.end == len(data)
