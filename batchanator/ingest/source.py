"""A source of lines: the decompressed bytes of a file or a stream, and whether the file stayed the same."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO, Final

from batchanator.domain.errors import SourceError
from batchanator.ingest.compression import GzipDecoder, ZstdDecoder, unsupported
from batchanator.ingest.raw import RawReader
from batchanator.ingest.sniff import Compression, compression_of, head_of, refuse_other_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from batchanator.ingest.compression import Decoder
    from batchanator.ingest.paths import OpenFile

_DROP_BYTES: Final = 256 << 10


class Source:
    """Bytes to cut into lines. Synchronous, for one thread at a time; decompressing releases the GIL."""

    def __init__(self, raw: RawReader, *, size: int | None, opened: OpenFile | None = None) -> None:
        self._raw = raw
        self._opened = opened
        self.size = size
        self._decoder: Decoder | None = None
        match compression_of(raw.peek(6)):
            case Compression.GZIP:
                self._decoder = GzipDecoder(raw)
            case Compression.ZSTD:
                self._decoder = ZstdDecoder(raw)
            case Compression.NONE:
                pass
        self._decoded = RawReader(self._decoder.read) if self._decoder else raw
        if self._decoder and _is_compressed(self._decoded.peek(6)):
            raise unsupported("the source is compressed twice")
        refuse_other_text(head_of(self._decoded))

    @property
    def position(self) -> int:
        """Raw bytes consumed, for progress against `size` (None while a stream's is unknown)."""
        return self._raw.position

    @property
    def is_compressed(self) -> bool:
        return self._decoder is not None

    def read(self, n: int, /) -> bytes:
        """Return 1 to n decompressed bytes, b"" at the end only.

        Raises:
            SourceError: source_cut, source_damaged, source_trailing_garbage, source_unreadable or
                source_unsupported_compression.
        """
        return self._decoded.read(n)

    def skip(self, offset: int) -> None:
        """Go on at decompressed byte `offset`, a checkpoint's; before the first read.

        Raises:
            SourceError: source_changed where there is no such byte any more.
        """
        if self._opened and not self.is_compressed:
            self._opened.file.seek(offset)
            self._raw.moved_to(offset)
            return
        while offset:
            data = self.read(min(offset, _DROP_BYTES))
            if not data:
                raise changed("it is shorter than what was read before")
            offset -= len(data)

    def verify_unchanged(self) -> None:
        """Raise SourceError source_changed unless file and path are what was opened. A stream always is."""
        if not self._opened:
            return
        was = self._opened.identity
        try:
            found = os.fstat(self._opened.file.fileno()), os.lstat(self._opened.location)
        except OSError:
            raise changed("its path leads nowhere now") from None
        for status in found:
            if (status.st_ino, status.st_size, status.st_mtime_ns) != (was.inode, was.size, was.mtime_ns):
                raise changed("its size, time or inode is another now")

    def close(self) -> None:
        if self._opened:
            self._opened.file.close()


def open_source(opened: OpenFile) -> Source:
    """Return the source in a file that `paths.resolve` opened, and own the file; on an error it is closed.

    Raises:
        SourceError: also source_not_utf8 and source_json_array, from the first 64 KiB.
    """
    try:
        return Source(RawReader(_reading(opened.file)), size=opened.identity.size, opened=opened)
    except BaseException:
        opened.file.close()
        raise


def stream_source(read: Callable[[int], bytes], *, size: int | None = None) -> Source:
    """Return the source in a stream: an upload's body, by a `read(n)` that blocks until there are bytes."""
    return Source(RawReader(read), size=size)


def _reading(file: BinaryIO) -> Callable[[int], bytes]:
    def read(n: int) -> bytes:
        try:
            return file.read(n)
        except OSError as error:
            raise SourceError("source_unreadable", f"the source cannot be read: {error.strerror}") from error

    return read


def changed(how: str) -> SourceError:
    return SourceError("source_changed", f"the source changed while it was read: {how}")


def _is_compressed(head: bytes) -> bool:
    return compression_of(head[:6]) is not Compression.NONE
