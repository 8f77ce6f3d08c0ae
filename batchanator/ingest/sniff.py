"""What a source is, told by its first bytes and never by its name."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from batchanator.domain.errors import SourceError
from batchanator.ingest.compression import GZIP_MAGIC, ZSTD_MAGIC, cut, is_skippable, unsupported
from batchanator.ingest.verdicts import BOM

if TYPE_CHECKING:
    from batchanator.ingest.raw import RawReader

_HEAD_BYTES: Final = 64 << 10
_OTHER_ARCHIVES: Final = {
    b"PK\x03\x04": "a zip archive",
    b"PK\x05\x06": "a zip archive",
    b"\xfd7zXZ\0": "xz",
    b"BZh": "bzip2",
}
_WIDE_MARKS: Final = (
    b"\xff\xfe",
    b"\xfe\xff",
    b"\0\0\xfe\xff",
)  # UTF-16 and UTF-32; the little-endian ones begin alike


class Compression(Enum):
    NONE = auto()
    GZIP = auto()
    ZSTD = auto()


def compression_of(head: bytes) -> Compression:
    """Return how a source is compressed, from its first six bytes (fewer only where it has no more)."""
    if head.startswith(GZIP_MAGIC):
        return Compression.GZIP
    if head.startswith(ZSTD_MAGIC) or is_skippable(head):
        return Compression.ZSTD
    if head and (head == GZIP_MAGIC[: len(head)] or (len(head) > 1 and head == ZSTD_MAGIC[: len(head)])):
        raise cut()  # bytes that begin no text, and nothing after them
    for magic, name in _OTHER_ARCHIVES.items():
        if head.startswith(magic):
            raise unsupported(f"the source is {name}")
    return Compression.NONE


def head_of(text: RawReader) -> bytes:
    """Look ahead as far as it takes to see something that is not blank, and no farther than 64 KiB."""
    size, head = 4, text.peek(4)
    while len(head) == size < _HEAD_BYTES and not _unmarked(head):
        size *= 4
        head = text.peek(size)
    return head


def refuse_other_text(head: bytes) -> None:
    """Raise SourceError where decompressed text begins like UTF-16, UTF-32 or one JSON array."""
    if head.startswith(_WIDE_MARKS) or _looks_wide(head[:4]):
        raise SourceError("source_not_utf8", "the source is UTF-16 or UTF-32; save it as UTF-8")
    if _unmarked(head).startswith(b"["):
        raise SourceError(
            "source_json_array",
            "the source is a JSON array; send one object a line, without brackets or commas",
        )


def _unmarked(head: bytes) -> bytes:
    """Return what follows the byte order mark and blanks."""
    return head.removeprefix(BOM).lstrip(b" \t\r\n")


def _looks_wide(start: bytes) -> bool:
    """Whether four bytes are one or two ASCII characters of two or four bytes each."""
    nuls = tuple(byte == 0 for byte in start)
    return nuls in {
        (False, True, False, True),
        (True, False, True, False),
        (False, True, True, True),
        (True, True, True, False),
    }
