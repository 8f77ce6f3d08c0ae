from __future__ import annotations

import gzip
import io
import random
import tracemalloc
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchanator.domain.errors import SourceError
from batchanator.ingest.source import Source, stream_source

if TYPE_CHECKING:
    from collections.abc import Callable


unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEXT = b"".join(b'{"idempotency_key":"k%d","a":"%d"}\n' % (n, n * n) for n in range(40))
BIG = bytes(random.Random(1).choices(b'{"abc:, \n', k=700_000))
SKIPPABLE = b"\x53\x2a\x4d\x18\x05\0\0\0hello"


def gz(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def zst(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def zst_stream(data: bytes, *, level: int = 3) -> bytes:
    """A frame that does not say how long its content is, with a window."""
    compressor = zstandard.ZstdCompressor(
        level=level, write_checksum=True, write_content_size=False
    ).compressobj()
    return compressor.compress(data) + compressor.flush()


def read_all(source: Source, n: int = 1 << 18) -> bytes:
    out = []
    while piece := source.read(n):
        assert len(piece) <= n
        out.append(piece)
    assert source.read(n) == b""
    return b"".join(out)


def decompressed(data: bytes) -> bytes:
    return read_all(stream_source(io.BytesIO(data).read))


def code_of(data: bytes) -> str:
    with pytest.raises(SourceError) as caught:
        decompressed(data)
    return caught.value.code


PACKERS = pytest.mark.parametrize("pack", [gz, zst, zst_stream])


@pytest.mark.parametrize(
    "data",
    [
        gz(TEXT),
        gz(TEXT[:70]) + gz(b"") + gz(TEXT[70:]),
        zst(TEXT),
        zst(TEXT[:70]) + zst(b"") + zst_stream(TEXT[70:]),
        SKIPPABLE + zst(TEXT) + SKIPPABLE,
        zstandard.ZstdCompressor(write_content_size=False).compress(TEXT),
        zstandard.ZstdCompressor(write_checksum=False).compress(TEXT),
        b"".join(gz(TEXT[n : n + 1]) for n in range(len(TEXT))),
        b"".join(zst(TEXT[n : n + 1]) for n in range(len(TEXT))),
    ],
)
@pytest.mark.parametrize("padding", [0, 1, 3, 512, 200_000])
def test_every_member_and_frame_is_read_and_zeros_may_follow(data: bytes, padding: int) -> None:
    assert decompressed(data + b"\0" * padding) == TEXT


@PACKERS
@pytest.mark.parametrize("level", [0, 1, 2])
def test_many_blocks_in_any_reads(pack: Callable[[bytes], bytes], level: int) -> None:
    data = [BIG, b"x" * 3_000_000, BIG + random.Random(2).randbytes(400_000)][level]
    packed = pack(data)
    assert decompressed(packed) == data
    file = io.BytesIO(packed)
    source = stream_source(lambda n: file.read(min(n, 1000)))
    assert read_all(source, 999) == data
    assert source.position == len(packed)


@PACKERS
def test_cut_at_every_byte(pack: Callable[[bytes], bytes]) -> None:
    first = pack(TEXT[:600])
    data = first + pack(TEXT[600:])
    for end in range(1, len(data)):
        if end == len(first):
            assert decompressed(data[:end]) == TEXT[:600]
        elif end == 1 and pack is not gz:
            assert decompressed(data[:end]) == b"("  # text for all that one can see: line 1 is then a reject
        else:
            assert code_of(data[:end]) == "source_cut", end


def test_a_cut_skippable_frame() -> None:
    for end in range(1, len(SKIPPABLE)):
        assert code_of(zst(TEXT) + SKIPPABLE[:end]) == "source_cut"


@PACKERS
def test_no_flipped_bit_gives_other_content(pack: Callable[[bytes], bytes]) -> None:
    data = pack(TEXT)
    for at in range(4, len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[at] ^= 1 << bit
            with suppress(SourceError):
                assert decompressed(bytes(flipped)) == TEXT


@PACKERS
def test_a_bad_checksum_or_body_is_damage(pack: Callable[[bytes], bytes]) -> None:
    data = bytearray(pack(TEXT))
    data[-1 if pack is not gz else -5] ^= 1
    assert code_of(bytes(data)) == "source_damaged"
    data = bytearray(pack(BIG))
    data[len(data) // 2] ^= 0x55
    assert code_of(bytes(data)) == "source_damaged"


@PACKERS
@pytest.mark.parametrize("garbage", [b"x", b"\0x", b"\0" * 100_000 + b"x", b'{"idempotency_key":"k"}\n'])
def test_trailing_garbage(pack: Callable[[bytes], bytes], garbage: bytes) -> None:
    assert code_of(pack(TEXT) + garbage) == "source_trailing_garbage"


def test_members_of_another_kind_or_after_zeros_are_garbage() -> None:
    assert code_of(gz(TEXT) + zst(TEXT)) == "source_trailing_garbage"
    assert code_of(zst(TEXT) + gz(TEXT)) == "source_trailing_garbage"
    assert code_of(gz(TEXT) + b"\0" + gz(TEXT)) == "source_trailing_garbage"


@unhurried
@given(st.binary(max_size=60), st.sampled_from([b"\x1f\x8b", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd"]))
def test_garbage_after_a_magic_number_is_a_source_error_or_text(noise: bytes, magic: bytes) -> None:
    with suppress(SourceError):
        decompressed(magic + noise)


def test_a_zstd_window_is_bounded_and_a_dictionary_refused() -> None:
    options = zstandard.ZstdCompressionParameters.from_level(1, window_log=28, write_content_size=False)
    wide = zstandard.ZstdCompressor(compression_params=options).compressobj()
    assert code_of(wide.compress(TEXT) + wide.flush()) == "source_unsupported_compression"
    dictionary = zstandard.train_dictionary(400, [b"%d" % n * 9 for n in range(3000)])
    assert (
        code_of(zstandard.ZstdCompressor(dict_data=dictionary).compress(TEXT))
        == "source_unsupported_compression"
    )


def bombs() -> list[bytes]:
    """300 MiB of zeros each, in some 300 and 30 kB."""
    deflate = zlib.compressobj(9, wbits=31)
    gzip_bomb = b"".join(deflate.compress(bytes(1 << 20)) for _ in range(300)) + deflate.flush()
    zstd = zstandard.ZstdCompressor(level=1).compressobj()
    zstd_bomb = b"".join(zstd.compress(bytes(1 << 20)) for _ in range(300)) + zstd.flush()
    return [gzip_bomb, zstd_bomb]


@pytest.mark.parametrize("bomb", bombs(), ids=["gzip", "zstd"])
def test_a_bomb_is_read_in_constant_memory(bomb: bytes) -> None:
    tracemalloc.start()
    source = stream_source(io.BytesIO(bomb).read)
    total = 0
    while piece := source.read(1 << 18):
        total += len(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 300 << 20
    assert peak < 4 << 20
