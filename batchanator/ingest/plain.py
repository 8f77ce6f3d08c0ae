"""Chunks in which every line is plain, judged as a whole: half the time of a line-by-line look (measured).

Plain is an object with one short key, given once, without an escape that could hide another. What is not plain is not
judged here.
"""

import struct
from collections.abc import Sequence
from functools import partial
from hashlib import blake2b
from typing import Final, NamedTuple

import orjson

from batchanator.ingest.nesting import MAX_DEPTH
from batchanator.ingest.verdicts import ESCAPED_LETTER, KEY, KEY_NAME, SURELY_SHORT

_HASH: Final = partial(blake2b, digest_size=8)
_ALL_BUT_OPENING: Final = bytes(set(range(256)) - set(b"{[\n"))


class Plain(NamedTuple):
    """What becomes of plain lines, in their order; `hashes` as `payload_hash` makes them."""

    keys: list[str]
    hashes: list[int]


def plain(lines: Sequence[bytes]) -> Plain | None:
    """Return keys and hashes where every line is plain and no key comes twice, else None."""
    try:
        keys = [orjson.loads(text)[KEY] for text in lines]
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return None
    count = len(keys)
    if set(map(type, keys)) != {str} or len(set(keys)) != count:
        return None
    lengths = set(map(len, keys))
    if min(lengths) < 1 or max(lengths) > SURELY_SHORT:
        return None
    whole = b"\n".join(lines)
    if whole.count(KEY_NAME) != count or not _is_shallow(whole):
        return None
    if b"\\" in whole and (ESCAPED_LETTER(whole) or "\0" in "".join(keys)):
        return None
    digests = b"".join([digest.digest() for digest in map(_HASH, lines)])
    return Plain(keys, list(struct.unpack(f">{count}q", digests)))


def _is_shallow(whole: bytes) -> bool:
    """Tell whether no line opens more than MAX_DEPTH arrays and objects, wherever it closes them."""
    return max(map(len, whole.translate(None, _ALL_BUT_OPENING).split(b"\n"))) <= MAX_DEPTH
