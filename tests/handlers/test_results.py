import json
import math
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, field_serializer

from batchanator.handlers import InvalidResultError, encode_result, sanitise


class Receipt(BaseModel):
    message_id: str = Field(alias="messageId")


@dataclass
class Point:
    x: int


class Colour(Enum):
    RED = "red"


class Rude(BaseModel):
    x: int = 1

    @field_serializer("x")
    def fail(self, _value):
        raise KeyError("secret")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("é", '"é"'),
        ({"a": None, "b": [1, 1.5, True]}, '{"a":null,"b":[1,1.5,true]}'),
        (0, "0"),
        (False, "false"),
        ("", '""'),
        (2**70, str(2**70)),
        (Receipt(messageId="m"), '{"messageId":"m"}'),
        (Point(1), '{"x":1}'),
        (datetime(2026, 1, 2, tzinfo=UTC), '"2026-01-02T00:00:00Z"'),
        (date(2026, 1, 2), '"2026-01-02"'),
        (Decimal("1.10"), '"1.10"'),
        (b"\xff", '"_w=="'),
        (Colour.RED, '"red"'),
        (UUID(int=0), '"00000000-0000-0000-0000-000000000000"'),
        ((1, {2}), "[1,[2]]"),
        ({1: 2}, '{"1":2}'),
        (math.nan, '"NaN"'),
        ([math.inf, -math.inf], '["Infinity","-Infinity"]'),
        ("a\0b", '"a\\ufffdb"'),
        ("a\\u0000b", '"a\\\\u0000b"'),
        ("\\\0", '"\\\\\\ufffd"'),
    ],
)
def test_a_result_becomes_json_text(value, text):
    assert encode_result(value) == text


def test_no_result_is_no_text():
    assert encode_result(None) is None


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_what_has_no_json_form_is_refused_without_its_value():
    loop: dict[str, Any] = {}
    loop["loop"] = loop
    for value in (
        "\ud800",
        {"a": "\udfff"},
        object(),
        (1 // 0 for _ in [1]),
        [encode_result],
        loop,
        Rude(),
        nested(65),
        nested(5000),
    ):
        with pytest.raises(InvalidResultError) as raised:
            encode_result(value)
        assert "secret" not in str(raised.value)
        str(raised.value).encode()


def test_depth_counts_nesting_and_not_brackets_in_texts():
    assert encode_result(nested(64)) is not None
    assert encode_result(['[{"\\' * 100] * 100) is not None


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
json_values = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(texts, inner))


@given(json_values.filter(lambda value: value is not None))
def test_plain_values_come_back_as_they_were(value):
    assert json.loads(encode_result(value) or "") == value


@given(st.text())
def test_a_sanitised_text_can_always_be_stored(text):
    clean = sanitise(text, 10)
    assert len(clean) <= 10
    assert "\0" not in clean
    clean.encode()


def test_sanitising_keeps_a_good_text():
    assert sanitise("naïve 😀") == "naïve 😀"
    assert sys.intern(sanitise("x" * 4000)) == "x" * 4000
