"""The front end of ingestion: chunks of judged lines, with all that a checkpoint needs. No database in it."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import accumulate
from typing import TYPE_CHECKING, Final, Protocol

import orjson

from batchanator.ingest.lines import LineReader, RawChunk
from batchanator.ingest.nesting import MAX_DEPTH
from batchanator.ingest.plain import plain
from batchanator.ingest.verdicts import (
    BLANKS,
    ESCAPED_LETTER,
    KEY,
    KEY_NAME,
    MAX_LINE_BYTES,
    SURELY_SHORT,
    Refusal,
    Reject,
    RejectCode,
    judge,
    refusal,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEW_HASH: Final = blake2b(digest_size=8)  # copied: cheaper than made anew


class Readable(Protocol):
    """What chunks are read from. `read(n)` returns at most n bytes, and b"" at the end only."""

    def read(self, n: int, /) -> bytes: ...


@dataclass(slots=True)
class Chunk:
    """Some physical lines, judged. `seqs`, `keys`, `payloads`, `hashes` are parallel: what may become items.

    `lines` = items + repeats + rejects; blank lines count in `physical` only. The next chunk begins at byte
    `end` of the decompressed source, with line `first_line + physical` and with `chain`.
    """

    first_line: int
    physical: int
    lines: int
    offset: int
    end: int
    chain: bytes  # sha256(chain of the chunk before ‖ this chunk's bytes)
    seqs: list[int] = field(default_factory=list)  # physical line numbers, from 1
    keys: list[str] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    hashes: list[int] = field(default_factory=list)  # blake2b of the payload, 8 bytes, signed
    rejects: list[Reject] = field(default_factory=list)
    repeats: list[tuple[int, int, int, bytes]] = field(default_factory=list)
    """Keys that came before in this chunk: (line, index of the first in the lists, this payload's hash, payload)."""


def read_chunks(
    source: Readable,
    *,
    size: int,
    offset: int = 0,
    first_line: int = 1,
    chain: bytes = b"",
    max_line_bytes: int = MAX_LINE_BYTES,
) -> Iterator[Chunk]:
    """Yield chunks of `size` physical lines (fewer where they hold 8 MiB).

    `source` stands at `offset`; that, `first_line` and `chain` come from the checkpoint of a chunk's end, and
    the chunks are then the same as in an undisturbed run.
    """
    reader = LineReader(source.read, offset=offset, chain=chain, max_line_bytes=max_line_bytes)
    while raw := reader.chunk(size):
        yield parse_chunk(raw, first_line=first_line)
        first_line += len(raw.lines)


def parse_chunk(raw: RawChunk, *, first_line: int) -> Chunk:
    """Judge the lines: all at once where every one is plain, else one by one."""
    lines = [text[:-1] if text.endswith(b"\r") else text for text in raw.lines] if raw.has_cr else raw.lines
    chunk = Chunk(first_line, len(lines), len(lines), raw.offset, raw.end, raw.chain)
    if not raw.overlong and (found := plain(lines)):
        chunk.seqs = list(range(first_line, first_line + len(lines)))
        chunk.keys, chunk.hashes, chunk.payloads = found.keys, found.hashes, lines
        return chunk
    return judge_each(raw, lines, chunk)


def judge_each(raw: RawChunk, lines: list[bytes], chunk: Chunk) -> Chunk:
    """Judge line by line. Plain lines are recognised here; whatever looks unusual is left to `judge`."""
    first_line = chunk.first_line
    seqs, keys, payloads, repeats = chunk.seqs, chunk.keys, chunk.payloads, chunk.repeats
    loads, new_hash = orjson.loads, _NEW_HASH.copy
    digests: list[bytes] = []
    refused: list[tuple[int, Refusal]] = []
    seen: dict[str, int] = {}
    count = 0
    for line, text in enumerate(lines, first_line):
        try:
            key = loads(text)[KEY]
        except (orjson.JSONDecodeError, LookupError, TypeError):
            key = None
        if (
            key.__class__ is not str
            or not 0 < len(key) <= SURELY_SHORT
            or "\0" in key
            or text.count(KEY_NAME) != 1
            or (b"\\" in text and ESCAPED_LETTER(text))
            or ((text.find(b"{", 1) > 0 or b"[" in text) and text.count(b"{") + text.count(b"[") > MAX_DEPTH)
        ):
            if line - first_line in raw.overlong:
                refused.append((line, refusal(RejectCode.TOO_LONG)))
                continue
            if not text.strip(BLANKS):
                chunk.lines -= 1
                continue
            verdict = judge(text)
            if isinstance(verdict, Refusal):
                refused.append((line, verdict))
                continue
            key = verdict
        digest = new_hash()
        digest.update(text)
        if (index := seen.setdefault(key, count)) != count:
            repeats.append((line, index, int.from_bytes(digest.digest(), "big", signed=True), text))
            continue
        count += 1
        seqs.append(line)
        keys.append(key)
        payloads.append(text)
        digests.append(digest.digest())
    chunk.hashes = list(struct.unpack(f">{count}q", b"".join(digests)))
    if refused:
        chunk.rejects = list(_rejects(raw, lines, first_line, refused))
    return chunk


def payload_hash(payload: bytes) -> int:
    """Return what `hashes` holds: 8 bytes of blake2b as a signed integer."""
    return int.from_bytes(blake2b(payload, digest_size=8).digest(), "big", signed=True)


def _rejects(
    raw: RawChunk, lines: list[bytes], first_line: int, refused: list[tuple[int, Refusal]]
) -> Iterator[Reject]:
    lengths = [len(text) + 1 for text in raw.lines]
    for index, (_, length) in raw.overlong.items():
        lengths[index] = length + 1
    offsets = list(accumulate(lengths, initial=raw.start))
    for line, why in refused:
        index = line - first_line
        text, length = raw.overlong.get(index) or (lines[index], len(lines[index]))
        yield why.at(line, text, byte_offset=offsets[index], length=length)
