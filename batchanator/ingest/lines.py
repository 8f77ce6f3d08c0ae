r"""Cut a stream of bytes into chunks of physical lines, in constant memory.

A line ends at `\n` and nowhere else. One `\r` before it belongs to the line's end: it is not part of the
payload and does not count against the limit. A line of more than `max_line_bytes` is over-long, blank or not,
wherever a read happened to end, and is passed over without being held. A byte order mark at offset 0 is
dropped: it counts as bytes, not as part of line 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from batchanator.ingest.verdicts import BOM, MAX_LINE_BYTES, MAX_RAW_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK_BYTES: Final = 256 << 10
MAX_CHUNK_BYTES: Final = 8 << 20
"""A chunk ends early with the line that brings it to this size, so that long lines cannot fill memory."""


@dataclass(slots=True)
class RawChunk:
    r"""Physical lines as read, without their `\n`; an over-long one stands as b"", and in `overlong`."""

    offset: int
    start: int  # where line 1's own bytes begin: past the byte order mark, else `offset`
    end: int = 0
    chain: bytes = b""
    lines: list[bytes] = field(default_factory=list)
    overlong: dict[int, tuple[bytes, int]] = field(default_factory=dict)  # index: first 64 KiB, whole length
    has_cr: bool = False  # False: surely no line ends in `\r`


class LineReader:
    """Lines from any `read(n)` that returns at most n bytes, and b"" at the end only.

    `offset` says where `read` stands: 0, or the end of a chunk, whose `chain` then comes along.
    """

    def __init__(
        self,
        read: Callable[[int], bytes],
        *,
        offset: int = 0,
        chain: bytes = b"",
        max_line_bytes: int = MAX_LINE_BYTES,
        max_chunk_bytes: int = MAX_CHUNK_BYTES,
    ) -> None:
        self._read = read
        self._offset = offset
        self._chain = chain
        self._max_line = max_line_bytes
        self._max_chunk = max_chunk_bytes
        self._at_start = offset == 0
        self._buffer = b""  # what the lines below were cut from
        self._lines: list[bytes] = []  # the whole lines in it
        self._next = 0  # the first of them that is in no chunk
        self._pos = self._end = 0  # their bytes in the buffer
        self._has_cr = False
        self._tail = b""  # the unfinished line after them

    def chunk(self, size: int) -> RawChunk | None:
        """Return the next `size` physical lines, fewer at the end or after 8 MiB, None past the end."""
        chunk = RawChunk(self._offset, self._offset)
        hasher = sha256(self._chain)
        while len(chunk.lines) < size and (room := self._max_chunk - (self._offset - chunk.offset)) > 0:
            if self._next < len(self._lines):
                self._take(chunk, size, room, hasher.update)
            elif not self._fill(chunk, hasher.update):
                break
        if not chunk.lines:
            return None
        chunk.end = self._offset
        self._chain = chunk.chain = hasher.digest()
        if chunk.end - chunk.offset > self._max_line:
            self._mark_overlong(chunk)
        return chunk

    def _take(self, chunk: RawChunk, size: int, room: int, update: Callable[[memoryview], None]) -> None:
        """Move lines from the buffer to the chunk: as many as it may have."""
        first, wanted = self._next, size - len(chunk.lines)
        lines, nbytes = self._lines, self._end - self._pos
        if first or wanted < len(lines) or nbytes > room:
            lines = lines[first : first + wanted]
            if nbytes > room:
                ends = accumulate(len(line) + 1 for line in lines)
                lines = lines[: 1 + sum(1 for end in ends if end < room)]
            if first + len(lines) < len(self._lines):
                nbytes = sum(map(len, lines)) + len(lines)
        chunk.lines += lines
        chunk.has_cr = chunk.has_cr or self._has_cr
        update(memoryview(self._buffer)[self._pos : self._pos + nbytes])
        self._next += len(lines)
        self._pos += nbytes
        self._offset += nbytes

    def _fill(self, chunk: RawChunk, update: Callable[[bytes], None]) -> bool:
        """Read on until there is something new to cut; False at the end."""
        if len(self._tail) > self._max_line + 1:  # + 1: it may end in `\r`
            self._pass_over(chunk, update)
            return True
        block = self._read_block()
        if self._at_start:
            self._at_start = False
            if block.startswith(BOM):
                block = block[len(BOM) :] or self._read_block()
                update(BOM)
                self._offset = chunk.start = len(BOM)
        if not block and not self._tail:
            return False
        self._cut(self._tail + block, is_last=not block)
        return True

    def _read_block(self) -> bytes:
        """Read as much as the unfinished line is long (short reads copy it seldom), and at least 3 bytes."""
        block = self._read(BLOCK_BYTES)
        while 0 < len(block) < max(len(self._tail), len(BOM)) and (more := self._read(BLOCK_BYTES)):
            block += more
        return block

    def _cut(self, buffer: bytes, *, is_last: bool = False) -> None:
        r"""Split the buffer; what follows its last `\n` waits for more, unless there is none."""
        lines = buffer.split(b"\n")
        self._tail = b"" if is_last else lines.pop()
        self._buffer, self._lines, self._next = buffer, lines, 0
        self._pos, self._end = 0, len(buffer) - len(self._tail)
        self._has_cr = b"\r" in buffer

    def _pass_over(self, chunk: RawChunk, update: Callable[[bytes], None]) -> None:
        """Read to the end of an over-long line, keeping its head, and cut what follows."""
        head, length, rest, ended = self._tail[:MAX_RAW_BYTES], len(self._tail), b"", 0
        update(self._tail)
        self._tail = b""
        while not ended and (block := self._read(BLOCK_BYTES)):
            body, newline, rest = block.partition(b"\n")
            update(body + newline)
            head += body[: MAX_RAW_BYTES - len(head)]
            length, ended = length + len(body), len(newline)
        chunk.overlong[len(chunk.lines)] = head, length
        chunk.lines.append(b"")
        self._offset += length + ended
        self._cut(rest)

    def _mark_overlong(self, chunk: RawChunk) -> None:
        """Find the over-long among the lines that lay whole in one buffer."""
        for index, line in enumerate(chunk.lines):
            if len(line) > self._max_line and len(line) - line.endswith(b"\r") > self._max_line:
                chunk.overlong[index] = line[:MAX_RAW_BYTES], len(line)
                chunk.lines[index] = b""
