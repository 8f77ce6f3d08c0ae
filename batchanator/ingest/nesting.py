"""How deep a JSON text is nested, counted from its bytes: no recursion, no trust in a parser's own limit."""

import re
from array import array
from itertools import accumulate
from typing import Final

MAX_DEPTH: Final = 64

# Never fails once begun, closing quote or not, so that hostile text cannot make it scan twice.
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_OTHERS = bytes(byte for byte in range(256) if byte not in b"[{]}")


def depth_of(text: bytes) -> int:
    """Return the deepest nesting of arrays and objects: exact above 64, else a bound of at most 64."""
    opening = text.count(b"[") + text.count(b"{")
    if opening <= MAX_DEPTH:
        return opening
    steps = array("b", _STRINGS.sub(b"", text).translate(_STEPS, _OTHERS))
    return max(accumulate(steps), default=0)
