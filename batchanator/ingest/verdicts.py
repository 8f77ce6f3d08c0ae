"""What becomes of one line or payload: an item, or a reject with one of the codes below.

`judge` is the whole truth; the hot loop in `batchanator.ingest.chunk` only recognises plain lines faster.
Where several codes apply, the first in the order of `RejectCode` is reported, whatever the order of the text.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import orjson

from batchanator.domain.submission import MAX_KEY_BYTES
from batchanator.ingest.nesting import MAX_DEPTH, depth_of

KEY: Final = "idempotency_key"
MAX_LINE_BYTES: Final = 1 << 20
MAX_RAW_BYTES: Final = 64 << 10
"""How much of a rejected line is kept."""

KEY_NAME: Final = b'"%s"' % KEY.encode()
SURELY_SHORT: Final = MAX_KEY_BYTES // 4  # characters of at most 4 bytes each
ESCAPED_LETTER: Final = re.compile(rb"\\u00(?:5[fF]|[67])").search  # may spell the key's name otherwise

BOM: Final = b"\xef\xbb\xbf"
BLANKS: Final = b" \t\r"

# The key's name in quotes, each letter plain or escaped (`"idempotency\u005fkey"` is the same name).
_NAMED = re.compile(
    rb'"%s"' % b"".join(rb"(?:%c|\\u00(?i:%02x))" % (byte, byte) for byte in KEY.encode()),
)


class RejectCode(StrEnum):
    """Why a line cannot become an item. The values are stable; in order of precedence."""

    TOO_LONG = "too_long"  # more bytes than max_line_bytes, without the line's end
    NOT_UTF8 = "not_utf8"  # bytes that are not UTF-8, lone surrogates among them
    BOM_INSIDE = "bom_inside"  # a byte order mark at the start of a line that is not the file's first
    TOO_DEEP = "too_deep"  # arrays and objects nested more than 64 deep
    NOT_JSON = "not_json"  # what orjson refuses: NaN, 1e400, raw control characters, "\ud800", two values
    NOT_OBJECT = "not_object"  # JSON, but an array, a string, a number, true, false or null
    KEY_TWICE = "key_twice"  # the line names idempotency_key twice at its top level
    KEY_MISSING = "key_missing"
    KEY_NOT_STRING = "key_not_string"
    KEY_EMPTY = "key_empty"
    KEY_HAS_NUL = "key_has_nul"
    KEY_TOO_LONG = "key_too_long"  # more than 512 bytes of UTF-8


_MESSAGES: Final = {
    RejectCode.TOO_LONG: "the line or payload is longer than the limit",
    RejectCode.NOT_UTF8: "not valid UTF-8",
    RejectCode.BOM_INSIDE: "a byte order mark belongs at the start of a file only",
    RejectCode.TOO_DEEP: f"nested more than {MAX_DEPTH} levels deep",
    RejectCode.NOT_JSON: "not valid JSON",
    RejectCode.NOT_OBJECT: "not a JSON object",
    RejectCode.KEY_TWICE: f"{KEY} is named twice",
    RejectCode.KEY_MISSING: f"{KEY} is missing",
    RejectCode.KEY_NOT_STRING: f"{KEY} is not a string",
    RejectCode.KEY_EMPTY: f"{KEY} is empty",
    RejectCode.KEY_HAS_NUL: f"{KEY} contains a NUL character",
    RejectCode.KEY_TOO_LONG: f"{KEY} is longer than {MAX_KEY_BYTES} bytes of UTF-8",
}


@dataclass(frozen=True, slots=True)
class Reject:
    """A refusal with its place. `raw` holds the line's first 64 KiB; `raw_cut` says that there was more."""

    line: int
    byte_offset: int
    code: RejectCode
    pointer: str
    message: str
    raw: bytes
    raw_cut: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """A verdict against a text. `pointer` is a JSON pointer; "" is the whole of it."""

    code: RejectCode
    pointer: str
    message: str

    def at(self, line: int, text: bytes, *, byte_offset: int = 0, length: int | None = None) -> Reject:
        """Return the reject of a line, direct item or row; `length` is given where `text` is but its head."""
        raw = text[:MAX_RAW_BYTES]
        was_cut = (len(text) if length is None else length) > len(raw)
        return Reject(line, byte_offset, self.code, self.pointer, self.message, raw, was_cut)


def refusal(code: RejectCode, detail: str = "") -> Refusal:
    """Return the refusal for `code`; `detail` is added to its message."""
    pointer = f"/{KEY}" if code.startswith("key_") else ""
    return Refusal(code, pointer, f"{_MESSAGES[code]}: {detail}" if detail else _MESSAGES[code])


def judge(text: bytes) -> str | Refusal:
    """Return the key of a line (without its end, of allowed length), or why it is a reject."""
    value = _parse(text)
    if isinstance(value, Refusal):
        return value
    if not isinstance(value, dict):
        return refusal(RejectCode.NOT_OBJECT)
    if len(_NAMED.findall(text)) > 1 and _named_twice(text):
        return refusal(RejectCode.KEY_TWICE)
    if KEY not in value:
        return refusal(RejectCode.KEY_MISSING)
    key = value[KEY]
    code = check_key(key)
    return refusal(code) if code else str(key)


def check_key(key: object) -> RejectCode | None:
    """Return what is wrong with a key: of a line, a direct item or a staging row."""
    if not isinstance(key, str):
        return RejectCode.KEY_NOT_STRING
    if not key:
        return RejectCode.KEY_EMPTY
    if "\0" in key:
        return RejectCode.KEY_HAS_NUL
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return RejectCode.NOT_UTF8
    return RejectCode.KEY_TOO_LONG if size > MAX_KEY_BYTES else None


def check_payload(raw: bytes, *, max_bytes: int = MAX_LINE_BYTES) -> Refusal | None:
    """Return what is wrong with a payload that comes apart from its key: any JSON value is right."""
    if len(raw) > max_bytes:
        return refusal(RejectCode.TOO_LONG)
    value = _parse(raw)
    return value if isinstance(value, Refusal) else None


def _parse(text: bytes) -> Any:
    """Return the JSON value, or a `Refusal`."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return _unparsable(text, error)
    return refusal(RejectCode.TOO_DEEP) if depth_of(text) > MAX_DEPTH else value


def _unparsable(text: bytes, error: orjson.JSONDecodeError) -> Refusal:
    try:
        text.decode()
    except UnicodeDecodeError as wrong:
        return refusal(RejectCode.NOT_UTF8, f"byte {wrong.start + 1}")
    if text.startswith(BOM):
        return refusal(RejectCode.BOM_INSIDE)
    if depth_of(text) > MAX_DEPTH:
        return refusal(RejectCode.TOO_DEEP)
    return refusal(RejectCode.NOT_JSON, f"{error.msg}, at character {error.pos + 1}")


def _named_twice(text: bytes) -> bool:
    """Whether the outermost object names the key more than once; `text` is known to be a JSON object."""
    members: list[tuple[str, Any]] = json.loads(text, object_pairs_hook=list, parse_int=str, parse_float=str)
    return sum(name == KEY for name, _ in members) > 1
