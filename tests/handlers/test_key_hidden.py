import pickle
from dataclasses import dataclass
from typing import Any

import pydantic.dataclasses
import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    model_validator,
)
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from batchanator.handlers import InvalidPayloadError, PayloadReader


class Plain(BaseModel):
    to: str


class Forbid(BaseModel):
    model_config = ConfigDict(extra="forbid")
    to: str


class Allow(BaseModel):
    model_config = ConfigDict(extra="allow")
    to: str


class Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    to: str


class Camel(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)
    to: str


class ByNameOnly(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_by_alias=False, validate_by_name=True)
    to: str


class HidesInAlias(BaseModel):
    model_config = ConfigDict(extra="forbid")
    to: str
    idempotency_key: str = Field(default="mine", alias="mine")


class Before(BaseModel):
    model_config = ConfigDict(extra="forbid")
    to: str

    @model_validator(mode="before")
    @classmethod
    def only_to(cls, data: Any) -> Any:
        assert set(data) == {"to"}
        return data


class OwnInit(BaseModel):
    to: str

    def __init__(self, *, to: str) -> None:
        super().__init__(to=to)


class After(BaseModel):
    model_config = ConfigDict(extra="forbid")
    to: str

    @model_validator(mode="after")
    def same(self) -> "After":
        return self


class Replaced(BaseModel):
    model_config = ConfigDict(extra="forbid")
    to: str

    @model_validator(mode="after")
    def another(self) -> Any:
        return Plain(to=self.to)


def test_a_validator_may_answer_with_another_object() -> None:
    assert PayloadReader[Any](Replaced).read_slice(f"[{LINE}]") == [Plain(to="ada")]


def test_a_payload_that_is_no_object_is_for_the_type_to_judge() -> None:
    assert PayloadReader[Any](Any).read_one("5") == 5
    with pytest.raises(InvalidPayloadError, match="Input should be an object"):
        PayloadReader(dict).read_one("5")


class TypedExtra(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int]
    to: str


class Typed(TypedDict):
    to: str


class TypedForbid(TypedDict):
    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    to: str


@dataclass
class Data:
    to: str


@pydantic.dataclasses.dataclass(config=ConfigDict(extra="forbid"))
class DataForbid:
    to: str


LINE = '{"idempotency_key":"k","to":"ada"}'
MODELS: list[Any] = [
    Plain, Forbid, Allow, Frozen, Camel, ByNameOnly, HidesInAlias, Before, OwnInit, After, TypedExtra, Data,
    DataForbid,
]  # fmt: skip
OTHERS: list[Any] = [
    dict, dict[str, str], dict[str, Any], Any, Typed, TypedForbid, RootModel[dict[str, str]],
    Forbid | DataForbid,
]  # fmt: skip


@pytest.mark.parametrize("model", MODELS + OTHERS)
def test_a_payload_never_shows_the_key_whatever_its_type_and_source(model: Any) -> None:
    reader: PayloadReader[Any] = PayloadReader(model)
    from_all = [
        *reader.read_slice(f"[{LINE},{LINE}]"),
        *reader.read_slice(f"[{LINE}]".encode()),
        reader.read_one(LINE),
        reader.read_one('{"to": "ada"}'),
    ]
    for payload in from_all:
        assert "idempotency_key" not in repr(payload).replace("idempotency_key='mine'", "")
        assert payload == from_all[-1]


@pytest.mark.parametrize("model", MODELS)
def test_a_payload_is_a_plain_instance_of_the_users_own_class(model: Any) -> None:
    reader: PayloadReader[Any] = PayloadReader(model)
    for payload in (*reader.read_slice(f"[{LINE}]"), reader.read_one(LINE)):
        assert type(payload) is model
        assert payload == model(to="ada")
        assert pickle.loads(pickle.dumps(payload)) == payload
        if isinstance(payload, BaseModel):
            assert payload.model_dump() == model(to="ada").model_dump()
            assert payload.model_fields_set == {"to"}
            assert payload.model_extra in ({}, None)


def test_the_models_own_rules_for_other_fields_stay() -> None:
    with pytest.raises(InvalidPayloadError, match="other: Extra inputs are not permitted"):
        PayloadReader(Forbid).read_one('{"idempotency_key":"k","to":"ada","other":1}')
    allowed = PayloadReader[Any](Allow).read_one('{"idempotency_key":"k","to":"ada","other":1}')
    assert allowed.model_extra == {"other": 1}
