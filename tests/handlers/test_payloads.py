import json
import pickle
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import pydantic.dataclasses
import pytest
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from batchanator.domain.errors import HandlerError
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
        reader.from_value(json.loads(LINE)),
        reader.from_value({"to": "ada"}),
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
        reader.from_value(json.loads(LINE)),
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
        reader.from_value(json.loads(raw), "k"),
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


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    at: datetime
    n: int


def test_a_strict_model_reads_json_strictly_from_every_source() -> None:
    reader = PayloadReader[Strict](Strict)
    good = {"at": "2026-01-01T00:00:00Z", "n": 12, "idempotency_key": "k"}
    assert reader.read_one(json.dumps(good)) == reader.from_value(good)
    bad = good | {"n": "12"}
    with pytest.raises(InvalidPayloadError, match="n: Input should be a valid integer"):
        reader.read_one(json.dumps(bad))
    with pytest.raises(InvalidPayloadError, match="n: Input should be a valid integer"):
        reader.from_value(bad)


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


@pytest.mark.parametrize("value", [object(), {"a": object()}, "\ud800"])
def test_what_is_no_json_value_is_refused(value) -> None:
    with pytest.raises(InvalidPayloadError, match="not a JSON value"):
        PayloadReader[Any](Any).from_value(value)


def test_big_numbers_arrive_whole() -> None:
    assert PayloadReader[Any](dict).read_one('{"n":18446744073709551616}') == {"n": 2**64}


class Foreign:
    pass


def test_a_type_that_pydantic_does_not_know_is_a_handler_error() -> None:
    with pytest.raises(HandlerError, match="Foreign'> cannot be a payload type: Unable to generate"):
        PayloadReader(Foreign)
