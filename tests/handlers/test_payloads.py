import json
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    field_validator,
)

from batchanator.domain.errors import HandlerError
from batchanator.handlers import InvalidPayloadError, PayloadReader


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    at: datetime
    n: int


def test_a_strict_model_reads_json_strictly_from_every_source() -> None:
    reader = PayloadReader[Strict](Strict)
    good = {"at": "2026-01-01T00:00:00Z", "n": 12, "idempotency_key": "k"}
    assert [reader.read_one(json.dumps(good))] == reader.read_slice(json.dumps([good]))
    bad = good | {"n": "12"}
    with pytest.raises(InvalidPayloadError, match="n: Input should be a valid integer"):
        reader.read_one(json.dumps(bad))


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Form(BaseModel):
    count: int = 0
    names: list[str] = []
    pet: Annotated[Cat | Dog, Discriminator("kind")] | None = None
    amount: Decimal = Decimal(0)
    odd: int = Field(default=0, alias="a/b~c")

    @field_validator("count")
    @classmethod
    def small(cls, value: int) -> int:
        if value == 13:
            raise KeyError("secret")
        if value > 100:
            raise ValueError("too many")
        return value


@pytest.mark.parametrize(
    ("raw", "pointer", "message"),
    [
        ('{"count":"secret"}', "/count", "count: Input should be a valid integer"),
        ('{"count":101}', "/count", "count: Value error, too many"),
        ('{"count":13}', "", "the payload's model raised KeyError"),
        ('{"names":["a",5]}', "/names/1", "names.1: Input should be a valid string"),
        ('{"a/b~c":"secret"}', "/a~1b~0c", "a/b~c: Input should be a valid integer"),
        ('{"pet":{"kind":"secret"}}', "/pet", "pet: does not name one of the kinds"),
        ('{"count":"secret","names":"secret"}', "/count", "; names: Input should be a valid array"),
        ("{", "", "Invalid JSON"),
        ("[" * 5000, "", "Invalid JSON"),
        ('"secret"', "", "Input should be an object"),
        (b"\xff", "", "Invalid JSON"),
        ("\ud800", "", "Input should be a valid string"),
    ],
)
def test_a_payload_that_does_not_fit_is_refused_by_field_and_reason_without_its_value(
    raw, pointer, message
) -> None:
    reader = PayloadReader[Form](Form)
    with pytest.raises(InvalidPayloadError) as raised:
        reader.read_one(raw)
    assert raised.value.pointer == pointer
    assert message in raised.value.message
    assert "secret" not in raised.value.message
    with pytest.raises(InvalidPayloadError):
        reader.read_slice(b"[" + raw + b"]" if isinstance(raw, bytes) else f"[{raw}]")


def test_a_slice_names_the_payload_at_fault_by_its_index() -> None:
    with pytest.raises(InvalidPayloadError) as raised:
        PayloadReader(Form).read_slice('[{},{},{"count":"x"}]')
    assert raised.value.pointer == "/2/count"


def test_a_long_list_of_faults_is_cut() -> None:
    with pytest.raises(InvalidPayloadError) as raised:
        PayloadReader(Form).read_one(json.dumps({"names": [1] * 500}))
    assert len(raised.value.message) == 2000


def test_big_numbers_arrive_whole() -> None:
    assert PayloadReader[Any](dict).read_one('{"n":18446744073709551616}') == {"n": 2**64}


class Foreign:
    pass


def test_a_type_that_pydantic_does_not_know_is_a_handler_error() -> None:
    with pytest.raises(HandlerError, match="Foreign'> cannot be a payload type: Unable to generate"):
        PayloadReader(Foreign)
