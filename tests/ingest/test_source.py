from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from batchanator.domain.errors import SourceError
from batchanator.ingest.chunk import Chunk, read_chunks
from batchanator.ingest.paths import resolve
from batchanator.ingest.source import Source, open_source, stream_source
from tests.ingest.test_compression import TEXT, gz, read_all, zst

if TYPE_CHECKING:
    from collections.abc import Callable


def opened(path: Path) -> Source:
    return open_source(resolve(path.name, [path.parent]))


def written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "mine.csv"  # content decides, not the name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("pack", [bytes, gz, zst], ids=["plain", "gzip", "zstd"])
def test_a_checkpoint_in_any_kind_of_file_can_be_resumed(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = written(tmp_path, pack(TEXT))
    source = opened(path)
    assert source.size == path.stat().st_size
    chunks = list(read_chunks(source, size=7))
    assert source.position == source.size
    source.verify_unchanged()
    source.close()
    assert [seq for chunk in chunks for seq in chunk.seqs] == list(range(1, 41))
    for done, chunk in enumerate(chunks, 1):
        again = opened(path)
        again.skip(chunk.end)
        assert resumed(again, chunk) == chunks[done:]
        again.close()


def resumed(source: Source, after: Chunk) -> list[Chunk]:
    line = after.first_line + after.physical
    return list(read_chunks(source, size=7, offset=after.end, first_line=line, chain=after.chain))


def test_progress_counts_raw_bytes(tmp_path: Path) -> None:
    source = opened(written(tmp_path, TEXT * 2000))
    assert (source.position, source.is_compressed) == (0, False)
    assert source.position < len(source.read(1 << 18)) + 1
    assert 0 < source.position < len(TEXT * 2000) == source.size
    source.close()


def test_a_checkpoint_past_the_end_is_a_changed_source(tmp_path: Path) -> None:
    source = opened(written(tmp_path, gz(TEXT)))
    with pytest.raises(SourceError) as caught:
        source.skip(len(TEXT) + 1)
    assert caught.value.code == "source_changed"
    source.close()


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def overwrite(path: Path) -> None:
    status = path.stat()
    path.write_bytes(TEXT.replace(b"k", b"l"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))


def rename_over(path: Path) -> None:
    other = path.with_suffix(".other")
    other.write_bytes(TEXT)
    os.utime(other, ns=(path.stat().st_mtime_ns,) * 2)
    other.replace(path)


def link_over(path: Path) -> None:
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))


CHANGES = [append, touch, overwrite, rename_over, link_over, lambda path: os.truncate(path, 10), Path.unlink]


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_under_the_reader_is_noticed(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    path = written(tmp_path, TEXT)
    source = opened(path)
    source.read(100)
    source.verify_unchanged()
    change(path)
    with pytest.raises(SourceError) as caught:
        source.verify_unchanged()
    assert caught.value.code == "source_changed"
    assert str(tmp_path) not in str(caught.value)
    source.close()


BOM = "\ufeff"
ARRAY = b' \r\n\t[\n{"idempotency_key":"k"}]'


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ((BOM + '{"a":1}').encode("utf-16-le"), "source_not_utf8"),
        ((BOM + '{"a":1}').encode("utf-16-be"), "source_not_utf8"),
        ((BOM + '{"a":1}').encode("utf-32-le"), "source_not_utf8"),
        ((BOM + '{"a":1}').encode("utf-32-be"), "source_not_utf8"),
        ('{"a":1}'.encode("utf-16-le"), "source_not_utf8"),
        ('{"a":1}'.encode("utf-16-be"), "source_not_utf8"),
        ('{"a":1}'.encode("utf-32-le"), "source_not_utf8"),
        ('{"a":1}'.encode("utf-32-be"), "source_not_utf8"),
        (ARRAY, "source_json_array"),
        (BOM.encode() + ARRAY, "source_json_array"),
        (b" " * 5000 + ARRAY, "source_json_array"),
        (b"PK\x03\x04rest", "source_unsupported_compression"),
        (b"\xfd7zXZ\0rest", "source_unsupported_compression"),
        (b"BZh91AY&SY", "source_unsupported_compression"),
        (gz(gz(TEXT)), "source_unsupported_compression"),
        (zst(b"PK\x03\x04rest"), "source_unsupported_compression"),
        (b"\x1f", "source_cut"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gz, zst], ids=["plain", "gzip", "zstd"])
def test_what_is_no_lines_of_utf8_is_refused_in_one_sentence(
    tmp_path: Path, data: bytes, code: str, pack: Callable[[bytes], bytes]
) -> None:
    file = resolve("mine.csv", [written(tmp_path, pack(data)).parent])
    with pytest.raises(SourceError) as caught:
        open_source(file)
    assert caught.value.code == code
    assert caught.value.detail.isprintable()
    assert file.file.closed


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\0", b"\0\0\0\0", b"(", b"P", b"x[", b"  "])
def test_other_beginnings_are_left_to_the_lines(data: bytes) -> None:
    assert stream_source(io.BytesIO(data).read).read(100) == data


def test_a_stream_is_looked_at_no_farther_than_needed() -> None:
    asked = []

    def read(n: int) -> bytes:
        asked.append(n)
        return TEXT[:40] if len(asked) == 1 else pytest.fail("the first bytes were enough")

    source = stream_source(read)
    source.verify_unchanged()
    assert source.read(100) == TEXT[:40]
    assert source.size is None
    source.close()


def test_an_error_of_the_disk_is_a_source_error(tmp_path: Path) -> None:
    file = resolve("mine.csv", [written(tmp_path, TEXT * 3000).parent])
    source = open_source(file)
    os.dup2(os.open(tmp_path, os.O_RDONLY), file.file.fileno())  # reading a directory: EISDIR
    with pytest.raises(SourceError) as caught:
        read_all(source)
    assert caught.value.code == "source_unreadable"
    source.close()
