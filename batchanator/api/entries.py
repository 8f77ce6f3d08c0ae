"""Direct items from the body of a request, each with its payload's own bytes.

A bad item is a reject, like a bad line, and the rest goes on: so a body that the strict parser refuses (a lone
surrogate, NaN) is taken apart once more by a lenient one, and each item is judged by itself.
"""

import json
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Raw

from batchanator.api.bodies import check_text, not_json, parse
from batchanator.api.requests import ItemsTrigger
from batchanator.domain.submission import Entry

_LENIENT = json.JSONDecoder(parse_int=str, parse_float=str)
_BLANKS = " \t\n\r"


def parse_items(body: bytes) -> ItemsTrigger:
    """Return the request, its items as they came.

    Raises:
        ProblemError: 400 for what is not JSON, 422 naming the field for JSON of another shape.
    """
    check_text(body)
    try:
        return msgspec.json.decode(body, type=ItemsTrigger)
    except msgspec.ValidationError:
        return parse(body, ItemsTrigger)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _lenient_items(body.decode())


def entries_of(items: Sequence[Raw]) -> list[Entry]:
    return [_entry(bytes(item)) for item in items]


def _entry(raw: bytes) -> Entry:
    fields = _fields(raw)
    if fields is None:
        return Entry(None, None, raw, "not_object")
    if "idempotencyKey" not in fields:
        return Entry(None, None, raw, "key_missing")
    key = _text(fields["idempotencyKey"])
    payload, text = fields.get("payload"), fields.get("payloadJson")
    if text is not None and text != b"null" and (payload is None or payload == b"null"):
        inner = _text(text)
        # An object where the seed has its text is meant as the payload itself.
        payload = text if inner is None else inner.encode("utf-8", "surrogatepass")
    return Entry(key, payload, raw)


def _fields(raw: bytes) -> dict[str, bytes] | None:
    try:
        return {name: bytes(value) for name, value in msgspec.json.decode(raw, type=dict[str, Raw]).items()}
    except (msgspec.MsgspecError, ValueError):
        text = raw.decode()
    try:
        return {name: text[start:end].encode() for name, start, end in _members(text)}
    except ValueError:
        return None


def _text(raw: bytes | None) -> str | None:
    """Return a JSON text with what it may hold of lone surrogates; None for every other value."""
    if raw is None or not raw.startswith(b'"'):
        return None
    try:
        return msgspec.json.decode(raw, type=str)
    except (msgspec.MsgspecError, ValueError):
        return str(json.loads(raw))


def _lenient_items(text: str) -> ItemsTrigger:
    try:
        fields = {name: text[start:end] for name, start, end in _members(text)}
        items = [part.encode() for part in _elements(fields.pop("items", ""))]
    except (ValueError, RecursionError):
        raise not_json() from None
    rest = ", ".join([f"{json.dumps(name)}: {value}" for name, value in fields.items()])
    asked = parse(f'{{"items": []{", " if rest else ""}{rest}}}'.encode(), ItemsTrigger)
    asked.items = [Raw(item) for item in items]
    return asked


def _members(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield each member of a JSON object: its name, and where its value begins and ends."""
    at = _after(text, 0, "{")
    if text.startswith("}", at):
        _end(text, at + 1)
        return
    while True:
        if not text.startswith('"', at):
            raise ValueError(at)
        name, at = _LENIENT.raw_decode(text, at)
        start = _after(text, _blanks(text, at), ":")
        _, end = _LENIENT.raw_decode(text, start)
        yield name, start, end
        at = _blanks(text, end)
        if text.startswith("}", at):
            _end(text, at + 1)
            return
        at = _after(text, at, ",")


def _elements(text: str) -> Iterator[str]:
    at = _after(text, 0, "[")
    if text.startswith("]", at):
        return
    while True:
        _, end = _LENIENT.raw_decode(text, at)
        yield text[at:end]
        at = _blanks(text, end)
        if text.startswith("]", at):
            return
        at = _after(text, at, ",")


def _after(text: str, at: int, mark: str) -> int:
    at = _blanks(text, at)
    if not text.startswith(mark, at):
        raise ValueError(at)
    return _blanks(text, at + 1)


def _blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANKS:
        at += 1
    return at


def _end(text: str, at: int) -> None:
    if _blanks(text, at) != len(text):
        raise ValueError(at)
