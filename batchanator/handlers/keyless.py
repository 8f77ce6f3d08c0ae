"""The payload type as it is validated: without the `idempotency_key` of every line, unless it declares it.

A line is the whole payload, so a model with extra="forbid" would refuse its own lines, and one with
extra="allow" would get a field nobody meant. What a type needs is found once, when its handler is loaded.
"""

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

import orjson
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, RootModel, create_model

KEY = "idempotency_key"
_HIDDEN = "received_idempotency_key"


@dataclass(frozen=True, slots=True)
class Keyless:
    """`type` is what is validated; `strip`, where there is one, makes its values those of the user's type.

    `declares_key`: the user's type wants the key, which a direct item or staging row has beside its payload.
    """

    type: Any
    strip: Callable[[list[Any]], None] | None = None
    declares_key: bool = False


def keyless(payload_type: Any) -> Keyless:
    """Return how to validate `payload_type` from a line that carries the key field."""
    if _declares_key(payload_type):
        return Keyless(payload_type, declares_key=True)
    if not _has_fields(payload_type) or _reads_raw_input(payload_type):
        return Keyless(Annotated[payload_type, BeforeValidator(_without_key)])
    if _config(payload_type).get("extra") in {None, "ignore"}:
        return Keyless(payload_type)
    if issubclass(payload_type, BaseModel):
        return _hide_key(payload_type)
    return Keyless(Annotated[payload_type, BeforeValidator(_without_key)])


def with_key(raw: bytes, key: str) -> bytes:
    """Return a JSON object with the key field in front: one of its own stands behind it, and the last one wins."""
    before, brace, rest = raw.partition(b"{")
    if not brace or before.strip():
        return raw  # no object: the type will refuse it
    comma = b"" if rest.lstrip().startswith(b"}") else b","
    return b"".join((b'{"idempotency_key":', orjson.dumps(key), comma, rest))


def _hide_key(model: type[BaseModel]) -> Keyless:
    """Return a subclass that takes the key in, and what makes its instances plain ones of `model`.

    The subclass costs 0.1 µs an item and the second step 0.2; taking the key out before validation costs 1.0.
    """
    hidden = _HIDDEN if model.model_config.get("validate_by_alias", True) else KEY
    field = Field(default=None, exclude=True, repr=False, validation_alias=KEY)
    fields: dict[str, Any] = {hidden: (Any, field)}
    subclass = create_model(model.__name__, __base__=model, __module__=model.__module__, **fields)
    set_attribute = object.__setattr__  # a frozen model refuses its own

    def strip(items: list[Any]) -> None:
        for item in items:
            if item.__class__ is subclass:
                item.__dict__.pop(hidden, None)
                item.__pydantic_fields_set__.discard(hidden)
                set_attribute(item, "__class__", model)

    return Keyless(subclass, strip)


def _without_key(value: Any) -> Any:
    if type(value) is dict:
        value.pop(KEY, None)
    return value


def _declares_key(payload_type: Any) -> bool:
    origin = get_origin(payload_type)
    if origin is Annotated:
        return _declares_key(get_args(payload_type)[0])
    if origin in {Union, types.UnionType}:
        return any(_declares_key(member) for member in get_args(payload_type))
    if not isinstance(payload_type, type):
        return False
    if issubclass(payload_type, BaseModel):
        return any(
            _takes_key(name, field, payload_type.model_config) for name, field in _fields(payload_type)
        )
    return _has_fields(payload_type) and KEY in payload_type.__annotations__


def _takes_key(name: str, field: Any, config: ConfigDict) -> bool:
    alias = field.validation_alias
    by_name = alias is None or config.get("populate_by_name") or config.get("validate_by_name")
    if name == KEY and by_name:
        return True
    return KEY in (alias.choices if isinstance(alias, AliasChoices) else [alias])


def _fields(model: type[BaseModel]) -> list[tuple[str, Any]]:
    return list(model.model_fields.items())


def _has_fields(payload_type: Any) -> bool:
    """Tell a model, dataclass or TypedDict, whose configuration rules extra fields, from everything else."""
    if not isinstance(payload_type, type) or issubclass(payload_type, RootModel):
        return False
    marks = ("__dataclass_fields__", "__total__")
    return issubclass(payload_type, BaseModel) or any(hasattr(payload_type, mark) for mark in marks)


def _config(payload_type: type) -> ConfigDict:
    attribute = "model_config" if issubclass(payload_type, BaseModel) else "__pydantic_config__"
    config: ConfigDict = getattr(payload_type, attribute, ConfigDict())
    return config


def _reads_raw_input(payload_type: type) -> bool:
    """Tell whether code of the user's sees the line before the fields are taken from it."""
    decorators = getattr(payload_type, "__pydantic_decorators__", None)
    validators = decorators.model_validators.values() if decorators else ()
    custom_init = bool(getattr(payload_type, "__pydantic_custom_init__", False))
    return custom_init or any(validator.info.mode in {"before", "wrap"} for validator in validators)
