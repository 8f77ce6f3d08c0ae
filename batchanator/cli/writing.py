"""JSON on stdout, for programs."""

import sys
from typing import Any

import orjson


def write_json(value: Any) -> None:
    """Write one indented JSON document."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")
