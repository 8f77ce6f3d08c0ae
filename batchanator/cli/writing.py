"""JSON on stdout, for programs."""

import sys
from typing import Any

import orjson


def write_json(value: Any) -> None:
    """Write one indented JSON document."""
    sys.stdout.write(orjson.dumps(value, default=_text, option=orjson.OPT_INDENT_2).decode() + "\n")


def _text(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
