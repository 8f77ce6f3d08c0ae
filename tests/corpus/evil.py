"""Lines that break parsers, databases and keys, each with its one verdict, the same on every database.

`EVIL` is a table for tests of one line; `evil_file()` the same lines as one file, with each one's row.
"""

from __future__ import annotations

from typing import NamedTuple

from batchanator.ingest.verdicts import RejectCode

KEY = b"idempotency_key"


class Evil(NamedTuple):
    name: str
    line: bytes
    code: RejectCode | None = None  # None: an item, or blank
    key: str | None = "k"  # of an item; None: blank


def line(members: bytes, key: bytes = b'"k"') -> bytes:
    return b'{"%s":%s,%s}' % (KEY, key, members)


def nested(depth: int) -> bytes:
    """An item whose nesting, its own object included, is `depth` deep."""
    return line(b'"a":' + b"[" * (depth - 1) + b"]" * (depth - 1))


def keyed(key: bytes) -> bytes:
    return b'{"%s":%s}' % (KEY, key)


LAUGH = "\N{FACE WITH TEARS OF JOY}"
ESCAPED = KEY.replace(b"_", rb"\u005f")
SHOUTED = KEY.replace(b"y", rb"\u0079").replace(b"m", rb"\u006D")

ACCEPTED = [
    Evil("plain", line(b'"a":1')),
    Evil("2^64", line(b'"a":18446744073709551616')),
    Evil("a big integer", line(b'"a":123456789012345678901234567890')),
    Evil("1.10", line(b'"a":1.10')),
    Evil("minus zero", line(b'"a":-0.0e-0')),
    Evil("escaped NUL in a value", line(rb'"a":"\u0000"')),
    Evil("escaped NUL in a name", line(rb'"\u0000":1')),
    Evil("another name twice", line(b'"a":1,"a":2')),
    Evil("DEL", line(b'"a":"\x7f"')),
    Evil("line separators", line('"a":"\u2028\u2029\x85"'.encode())),
    Evil("a BOM in a value", line('"a":"\ufeff"'.encode())),
    Evil("a surrogate pair", line(rb'"a":"\ud83d\ude02"')),
    Evil("astral", line(f'"a":"{LAUGH}"'.encode())),
    Evil("a noncharacter", line('"a":"\uffff"'.encode())),
    Evil("blanks around", b" \t " + line(b'"a": 1') + b" \t"),
    Evil("a CR inside the blanks", line(b'\r"a":1\r')),
    Evil("depth 64", nested(64)),
    Evil("brackets in text", line(b'"a":"' + b"[{" * 200 + b'"')),
    Evil("brackets and quotes in text", line(rb'"a":"' + rb"\"[\\" * 200 + b'"')),
    Evil("many flat arrays", line(b'"a":[' + b"[]," * 200 + b"[]]")),
    Evil("the name in a text", line(rb'"a":"\"idempotency_key\":\"x\", idempotency_key"')),
    Evil("the name as a text", line(b'"a":"idempotency_key","b":["idempotency_key"]')),
    Evil("the name further in", line(b'"a":{"idempotency_key":"inner"},"b":[{"idempotency_key":1}]')),
    Evil("the name escaped further in", line(b'"a":{"' + ESCAPED + b'":"inner"}')),
    Evil("the name escaped", b'{"' + ESCAPED + b'":"k"}'),
    Evil("another name in other letters", line(b'"Idempotency_Key":"x"')),
    Evil("key in escapes", keyed(rb'"\u006b"')),
    Evil("key of blanks", keyed(b'"  "'), key="  "),
    Evil("key of 512 bytes", keyed(b'"' + b"x" * 512 + b'"'), key="x" * 512),
    Evil("key of 512 bytes in 128 characters", keyed(f'"{LAUGH * 128}"'.encode()), key=LAUGH * 128),
    Evil("key of 512 bytes in 256 characters", keyed(('"' + "é" * 256 + '"').encode()), key="é" * 256),
    Evil("key in NFC", keyed('"\u00e9"'.encode()), key="\u00e9"),
    Evil("key in NFD", keyed('"e\u0301"'.encode()), key="e\u0301"),
    Evil("key with a trailing blank", keyed(b'"k "'), key="k "),
    Evil("key in upper case", keyed(b'"K"'), key="K"),
    Evil("key with a quote and a backslash", keyed(rb'"\"\\"'), key='"\\'),
    Evil("key with a line's end", keyed(rb'"a\nb"'), key="a\nb"),
    Evil("key with control characters", keyed(rb'"\u0001\u001b"'), key="\x01\x1b"),
]

BLANKS = [
    Evil("empty", b"", key=None),
    Evil("spaces and tabs", b" \t \t", key=None),
    Evil("a CR in blanks", b" \r \t", key=None),
]

_CODES: list[tuple[RejectCode, str, bytes]] = [
    (RejectCode.NOT_UTF8, "a stray byte", line(b'"a":"\xff"')),
    (RejectCode.NOT_UTF8, "a cut character", line(b'"a":"\xe2\x82"')),
    (RejectCode.NOT_UTF8, "an overlong slash", line(b'"a":"\xc0\xaf"')),
    (RejectCode.NOT_UTF8, "a surrogate in bytes", line(b'"a":"\xed\xa0\x80"')),
    (RejectCode.NOT_UTF8, "Latin-1", line('"a":"é"'.encode("latin-1"))),
    (RejectCode.NOT_UTF8, "a key that is not UTF-8", keyed(b'"\xff"')),
    (RejectCode.BOM_INSIDE, "a BOM", b"\xef\xbb\xbf" + line(b'"a":1')),
    (RejectCode.BOM_INSIDE, "a BOM alone", b"\xef\xbb\xbf"),
    (RejectCode.TOO_DEEP, "depth 65", nested(65)),
    (RejectCode.TOO_DEEP, "depth 2000", nested(2000)),
    (RejectCode.TOO_DEEP, "depth 65 of objects", line(b'"a":' + b'{"a":' * 64 + b"1" + b"}" * 64)),
    (RejectCode.TOO_DEEP, "depth 300, never closed", b"[" * 300),
    (RejectCode.TOO_DEEP, "an array of depth 65", b"[" * 65 + b"]" * 65),
    (RejectCode.NOT_JSON, "a word", b"hello"),
    (RejectCode.NOT_JSON, "cut", b'{"idempotency_key":"k","a":'),
    (RejectCode.NOT_JSON, "two values", keyed(b'"k"') * 2),
    (RejectCode.NOT_JSON, "a comma after", keyed(b'"k"') + b","),
    (RejectCode.NOT_JSON, "a trailing comma", b'{"idempotency_key":"k",}'),
    (RejectCode.NOT_JSON, "single quotes", b"{'idempotency_key':'k'}"),
    (RejectCode.NOT_JSON, "a comment", keyed(b'"k"') + b" // x"),
    (RejectCode.NOT_JSON, "NaN", line(b'"a":NaN')),
    (RejectCode.NOT_JSON, "Infinity", line(b'"a":-Infinity')),
    (RejectCode.NOT_JSON, "1e400", line(b'"a":1e400')),
    (RejectCode.NOT_JSON, "an integer of 5,000 digits", line(b'"a":' + b"9" * 5000)),
    (RejectCode.NOT_JSON, "a leading zero", line(b'"a":01')),
    (RejectCode.NOT_JSON, "a plus", line(b'"a":+1')),
    (RejectCode.NOT_JSON, "a lone high surrogate", line(rb'"a":"\ud800"')),
    (RejectCode.NOT_JSON, "a lone low surrogate", line(rb'"a":"\udc00"')),
    (RejectCode.NOT_JSON, "a key with a lone surrogate", keyed(rb'"\udfff"')),
    (RejectCode.NOT_JSON, "a raw NUL in a value", line(b'"a":"\0"')),
    (RejectCode.NOT_JSON, "a raw NUL after", line(b'"a":1') + b"\0"),
    (RejectCode.NOT_JSON, "NULs alone", b"\0\0\0\0\0\0"),
    (RejectCode.NOT_JSON, "a raw tab in a value", line(b'"a":"\t"')),
    (RejectCode.NOT_JSON, "a raw escape character", line(b'"a":"\x1b[0m"')),
    (RejectCode.NOT_JSON, "a bad escape", line(rb'"a":"\x41"')),
    (RejectCode.NOT_JSON, "a vertical tab", b"\x0b"),
    (RejectCode.NOT_JSON, "a no-break space", b"\xc2\xa0" + keyed(b'"k"')),
    (RejectCode.NOT_JSON, "a quote alone", b'"' + rb"\"" * 50),
    (RejectCode.NOT_OBJECT, "a number", b"1"),
    (RejectCode.NOT_OBJECT, "null", b"null"),
    (RejectCode.NOT_OBJECT, "the name", b'"idempotency_key"'),
    (RejectCode.NOT_OBJECT, "an array", b'[{"idempotency_key":"k"}]'),
    (RejectCode.NOT_OBJECT, "an array of pairs", b'["idempotency_key","k"]'),
    (RejectCode.KEY_TWICE, "twice", line(b'"idempotency_key":"l"')),
    (RejectCode.KEY_TWICE, "twice the same", line(b'"idempotency_key":"k"')),
    (RejectCode.KEY_TWICE, "once escaped", line(b'"' + ESCAPED + b'":"l"')),
    (RejectCode.KEY_TWICE, "escaped in both cases of hex", line(b'"' + SHOUTED + b'":"l"')),
    (RejectCode.KEY_TWICE, "twice escaped", b'{"%s":"k","%s":"l"}' % (ESCAPED, SHOUTED)),
    (RejectCode.KEY_TWICE, "wrong, then right", line(b'"idempotency_key":"k"', key=b"1")),
    (RejectCode.KEY_MISSING, "an empty object", b"{}"),
    (RejectCode.KEY_MISSING, "other names", b'{"idempotencyKey":"k","IDEMPOTENCY_KEY":"k"}'),
    (RejectCode.KEY_MISSING, "further in only", b'{"a":{"idempotency_key":"k"}}'),
    (RejectCode.KEY_NOT_STRING, "null", keyed(b"null")),
    (RejectCode.KEY_NOT_STRING, "a number", keyed(b"17")),
    (RejectCode.KEY_NOT_STRING, "an array", keyed(b'["k"]')),
    (RejectCode.KEY_NOT_STRING, "true", keyed(b"true")),
    (RejectCode.KEY_EMPTY, "empty", keyed(b'""')),
    (RejectCode.KEY_HAS_NUL, "a NUL", keyed(rb'"a\u0000b"')),
    (RejectCode.KEY_TOO_LONG, "513 bytes", keyed(b'"' + b"x" * 513 + b'"')),
    (RejectCode.KEY_TOO_LONG, "514 bytes in 257 characters", keyed(('"' + "é" * 257 + '"').encode())),
    (RejectCode.KEY_TOO_LONG, "516 bytes in 129 characters", keyed(f'"{LAUGH * 129}"'.encode())),
]

REJECTED = [Evil(f"{code}: {name}", text, code, None) for code, name, text in _CODES]
EVIL = ACCEPTED + BLANKS + REJECTED


def evil_file(max_line_bytes: int = 1 << 20) -> tuple[bytes, list[tuple[int, Evil]]]:
    """Return an NDJSON file and its rows by physical line: every line above once, then some about the limit.

    Most items share one key: it is a duplicate from its second line on. The limit must exceed 6,000 bytes.
    """
    filler = max_line_bytes - len(line(b'"a":""'))
    rows = [
        *EVIL,
        Evil("exactly the limit", line(b'"a":"' + b"x" * filler + b'"')),
        Evil("the limit and a CR", line(b'"a":"' + b"x" * filler + b'"') + b"\r"),
        Evil("one byte more", line(b'"a":"' + b"x" * (filler + 1) + b'"'), RejectCode.TOO_LONG, None),
        Evil("many more", line(b'"a":"' + b"x" * (3 * max_line_bytes) + b'"'), RejectCode.TOO_LONG, None),
        Evil("too many blanks", b" " * (max_line_bytes + 1), RejectCode.TOO_LONG, None),
        Evil("the last, without its end", line(b'"a":"last"')),
    ]
    return b"\n".join(row.line for row in rows), list(enumerate(rows, 1))
