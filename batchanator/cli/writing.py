"""JSON on stdout, for programs."""

import sys
from datetime import UTC, datetime
from typing import Any

import orjson

_OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_PASSTHROUGH_DATETIME


def write_json(value: Any) -> None:
    """Write one indented JSON document; instants as the API writes them."""
    sys.stdout.write(orjson.dumps(value, _text, _OPTIONS).decode() + "\n")


def write_json_line(value: Any) -> None:
    """Write one line of NDJSON."""
    sys.stdout.write(orjson.dumps(value, _text, orjson.OPT_PASSTHROUGH_DATETIME).decode() + "\n")


def _text(value: Any) -> str:
    match value:
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
        case bytes():
            return value.hex()
        case _:
            return str(value)
