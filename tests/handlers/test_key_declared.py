from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from batchanator.handlers import InvalidPayloadError, PayloadReader

LINE = '{"idempotency_key":"k","to":"ada"}'


class Plain(BaseModel):
    to: str


class Forbid(BaseModel):
    model_config = ConfigDict(extra="forbid")
    to: str


class Declares(BaseModel):
    model_config = ConfigDict(extra="forbid")
    idempotency_key: str
    to: str


class DeclaresByAlias(BaseModel):
    key: str = Field(alias="idempotency_key")


class DeclaresByChoice(BaseModel):
    key: str = Field(validation_alias=AliasChoices("k", "idempotency_key"))


class DeclaresCamel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")
    idempotency_key: str
    to: str


@dataclass
class DeclaresData:
    idempotency_key: str


class DeclaresTyped(TypedDict):
    idempotency_key: str


class DeclaresRaw(BaseModel):
    idempotency_key: str

    @model_validator(mode="before")
    @classmethod
    def look(cls, data: Any) -> Any:
        return data


@pytest.mark.parametrize(
    "model",
    [
        Declares, DeclaresByAlias, DeclaresByChoice, DeclaresCamel, DeclaresData, DeclaresTyped, DeclaresRaw,
        Declares | Plain, Annotated[Declares, "with a note"],
    ],
)  # fmt: skip
def test_a_type_that_declares_the_key_gets_it_from_every_source(model: Any) -> None:
    reader: PayloadReader[Any] = PayloadReader(model)
    for payload in (
        *reader.read_slice(f"[{LINE}]"),
        reader.read_one(LINE),
    ):
        fields = payload if isinstance(payload, dict) else vars(payload)
        assert "k" in fields.values()


class Wishes(BaseModel):
    idempotency_key: str | None = None
    to: str = "nobody"


@pytest.mark.parametrize("model", [Declares, DeclaresByAlias, DeclaresData, DeclaresTyped, Wishes])
@pytest.mark.parametrize("raw", ['{"to":"ada"}', ' {"to":"ada"} ', LINE])
def test_a_direct_items_key_stands_beside_its_payload_and_reaches_who_declares_it(
    model: Any, raw: str
) -> None:
    reader: PayloadReader[Any] = PayloadReader(model)
    for payload in (
        *reader.read_slice(f"[{raw},{raw}]", ["k", "k"]),
        reader.read_one(raw, "k"),
        reader.read_one(raw.encode(), "k"),
    ):
        fields = payload if isinstance(payload, dict) else vars(payload)
        assert "k" in fields.values()


def test_the_keys_go_to_their_own_payloads_whatever_is_in_them() -> None:
    keys = ['a"b', "\\", "é", "{"]
    payloads = PayloadReader[Wishes](Wishes).read_slice(
        '[{},{"to":"}{"}, { } ,{"idempotency_key":"own"}]', keys
    )
    assert [payload.idempotency_key for payload in payloads] == [*keys[:3], "own"]
    assert payloads[1].to == "}{"


def test_keys_change_nothing_for_who_does_not_declare_them() -> None:
    reader = PayloadReader[Forbid](Forbid)
    assert reader.read_slice(f"[{LINE}]", ["k"]) == [reader.read_one(LINE, "k")] == [Forbid(to="ada")]


@pytest.mark.parametrize("raw", ["5", "[]", '"{"', "", "{"])
def test_a_declared_key_makes_no_object_of_what_is_none(raw: str) -> None:
    reader = PayloadReader[Wishes](Wishes)
    with pytest.raises(InvalidPayloadError):
        reader.read_one(raw, "k")
    with pytest.raises(InvalidPayloadError):
        reader.read_slice(f"[{raw or '{'}]", ["k"])
