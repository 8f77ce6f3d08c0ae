import re
from typing import Any

import orjson
from pydantic_core import PydanticSerializationError, to_json

from batchanator.handlers.errors import InvalidResultError
from batchanator.handlers.texts import sanitise

INVALID_RESULT = "invalid_result"

# SQL Server's OPENJSON goes 128 levels deep, and results stand a few levels down in what is sent.
_DEEPEST = 64
_PLAIN = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
_ESCAPED_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_STEP = re.compile(rb'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])')


def encode_result(value: Any) -> str | None:
    """Return a result as JSON text, None for None.

    Models, dataclasses, dates, Decimals (text), bytes (base64), enums, UUIDs and sets have their pydantic
    form. NaN and the infinities, for which JSON has no number, become the texts "NaN", "Infinity" and
    "-Infinity"; NUL becomes U+FFFD, since PostgreSQL cannot read it back out of JSON.

    Raises:
        InvalidResultError: `value` has no JSON form, holds a lone surrogate, or is nested too deep.
    """
    if value is None:
        return None
    try:
        text = orjson.dumps(value, option=_PLAIN)
        plain = b"null" not in text  # orjson writes NaN as null: let the other look
    except TypeError:  # not plain: a model, a date, 2^64, a lone surrogate …
        text, plain = b"", False
    if not plain:
        text = _encode_rich(value)
    if b"\\u0000" in text:
        text = _ESCAPED_NUL.sub(rb"\1\\ufffd", text)
    if len(text) > _DEEPEST and text.count(b"[") + text.count(b"{") > _DEEPEST and _depth(text) > _DEEPEST:
        raise InvalidResultError(f"the result is nested deeper than {_DEEPEST} levels")
    return text.decode()


def _encode_rich(value: Any) -> bytes:
    try:
        return to_json(value, inf_nan_mode="strings", bytes_mode="base64")
    except PydanticSerializationError as error:
        # Not all of "… Error calling function `f`: KeyError: 'the value'".
        reason = ": ".join(str(error).removeprefix("Error serializing to JSON: ").split(": ")[:2])
        raise InvalidResultError(sanitise(f"the result has no JSON form: {reason}", 300)) from error


def _depth(text: bytes) -> int:
    depth = deepest = 0
    for step in _STEP.finditer(text):
        if step[1]:
            depth += 1
            deepest = max(deepest, depth)
        elif step[2]:
            depth -= 1
    return deepest
