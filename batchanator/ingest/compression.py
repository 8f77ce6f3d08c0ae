"""gzip and zstd, read to their very end: every member and frame, nothing cut, damaged or followed by more.

Both decoders put out a bounded piece at a time, whatever a small input may expand to.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, Protocol

import zstandard

from batchanator.domain.errors import SourceError
from batchanator.ingest.raw import RAW_BLOCK_BYTES

if TYPE_CHECKING:
    from batchanator.ingest.raw import RawReader

GZIP_MAGIC: Final = b"\x1f\x8b"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
MAX_WINDOW_BYTES: Final = 128 << 20
"""The largest window that a zstd frame may ask for: what its decoder keeps in memory."""

_MAX_BLOCK: Final = 128 << 10  # of a zstd frame, compressed or not
_NO_DICTIONARY: Final = 0


class Decoder(Protocol):
    """Decompressed bytes."""

    def read(self, n: int, /) -> bytes:
        """Return 1 to n bytes, b"" at the end only; raises SourceError."""
        ...


def is_skippable(head: bytes) -> bool:
    """Whether a zstd frame without content begins here."""
    return head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50


def damaged() -> SourceError:
    return SourceError("source_damaged", "the compressed source is damaged: its data or a checksum is wrong")


def cut() -> SourceError:
    return SourceError("source_cut", "the compressed source ends in the middle: it was cut off")


def unsupported(what: str) -> SourceError:
    return SourceError("source_unsupported_compression", f"{what}; send plain text, gzip or zstd")


class GzipDecoder:
    """Every member of a gzip stream, with constant memory."""

    def __init__(self, raw: RawReader) -> None:
        self._raw = raw
        self._member = zlib.decompressobj(wbits=31)
        self._input = b""

    def read(self, n: int, /) -> bytes:
        while True:
            if self._member.eof:
                self._raw.give_back(self._member.unused_data)
                self._input = b""
                if not _another(self._raw, GZIP_MAGIC):
                    return b""
                self._member = zlib.decompressobj(wbits=31)
            data = self._input or self._raw.read(RAW_BLOCK_BYTES)
            if not data:
                raise cut()
            try:
                out = self._member.decompress(data, n)
            except zlib.error:
                raise damaged() from None
            self._input = self._member.unconsumed_tail
            if out:
                return out


class ZstdDecoder:
    """Every frame of a zstd stream, fed by blocks: each puts out 128 KiB at most, and the last is seen."""

    def __init__(self, raw: RawReader) -> None:
        self._raw = raw
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._has_checksum = False
        self._out = b""

    def read(self, n: int, /) -> bytes:
        while not self._out:
            if self._frame:
                self._out = self._block(self._frame)
            elif _another(self._raw, ZSTD_MAGIC):
                self._begin()
            else:
                return b""
        out, self._out = self._out[:n], self._out[n:]
        return out

    def _begin(self) -> None:
        """Read a frame's header, or pass over a frame without content."""
        if is_skippable(self._raw.peek(4)):
            left = int.from_bytes(self._exactly(8)[4:], "little")
            while left:
                left -= len(self._exactly(min(left, RAW_BLOCK_BYTES)))
            return
        descriptor = (self._raw.peek(5)[4:] or b"\0")[0]
        is_single = descriptor >> 5 & 1
        length = 5 + (not is_single) + (0, 1, 2, 4)[descriptor & 3] + (is_single, 2, 4, 8)[descriptor >> 6]
        header = self._exactly(length)
        try:
            frame = zstandard.get_frame_parameters(header)
            if frame.dict_id != _NO_DICTIONARY:
                raise unsupported("the zstd source needs a dictionary")
            if frame.window_size > MAX_WINDOW_BYTES:
                raise unsupported(f"the zstd source needs a window of more than {MAX_WINDOW_BYTES >> 20} MiB")
            self._frame = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompressobj()
            self._frame.decompress(header)
        except zstandard.ZstdError:
            raise damaged() from None
        self._has_checksum = frame.has_checksum

    def _block(self, frame: zstandard.ZstdDecompressionObj) -> bytes:
        """Decode the next block: 3 bytes (1 bit last, 2 bits kind, 21 bits size), then its body."""
        header = self._exactly(3)
        bits = int.from_bytes(header, "little")
        is_last, kind, size = bits & 1, bits >> 1 & 3, bits >> 3
        if size > _MAX_BLOCK:
            raise damaged()
        body = self._exactly(1 if kind == 1 else size)  # kind 1: one byte, `size` times
        if is_last and self._has_checksum:
            body += self._exactly(4)
        try:
            out = frame.decompress(header + body)
        except zstandard.ZstdError:
            raise damaged() from None
        if frame.eof != bool(is_last):
            raise damaged()
        if is_last:
            self._frame = None
        return out

    def _exactly(self, n: int) -> bytes:
        data = self._raw.take(n)
        if len(data) < n:
            raise cut()
        return data


def _another(raw: RawReader, magic: bytes) -> bool:
    """Whether another member or frame follows; nothing and zeros up to the end are the end."""
    head = raw.peek(len(magic))
    if head == magic or (magic == ZSTD_MAGIC and is_skippable(head)):
        return True
    if head and (
        magic.startswith(head)
        or (magic == ZSTD_MAGIC and is_skippable(head + b"\x2a\x4d\x18"[len(head) - 1 :]))
    ):
        raise cut()
    while head := raw.read(RAW_BLOCK_BYTES):
        if head.strip(b"\0"):
            raise SourceError(
                "source_trailing_garbage", "something else follows the end of the compressed source"
            )
    return False
