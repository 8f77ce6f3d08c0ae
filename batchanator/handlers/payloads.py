from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, NoReturn, Protocol, TypeVar

import msgspec
from pydantic import PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from batchanator.domain.errors import HandlerError
from batchanator.handlers.errors import InvalidPayloadError
from batchanator.handlers.keyless import keyless, with_key
from batchanator.handlers.texts import first_line, sanitise

P = TypeVar("P")

_LONGEST_MESSAGE = 2_000
# What pydantic says of these repeats a part of the value.
_SAYS_VALUE = {
    "union_tag_invalid": "does not name one of the kinds of this union",
    "uuid_parsing": "should be a valid UUID",
}


class Payloads(Protocol):
    """Reads what is stored into what a handler is given. Raises InvalidPayloadError."""

    def read_slice(self, body: str | bytes, keys: Sequence[str] = ()) -> list[Any]: ...

    def read_one(self, raw: str | bytes, key: str | None = None) -> Any: ...


class RawReader:
    """Leaves payloads as the JSON that was received, for handlers elsewhere that read it themselves."""

    def __init__(self) -> None:
        self._slice = msgspec.json.Decoder(list[msgspec.Raw])
        self._one = msgspec.json.Decoder(msgspec.Raw)

    def read_slice(self, body: str | bytes, keys: Sequence[str] = ()) -> list[msgspec.Raw]:
        del keys
        try:
            return self._slice.decode(body)
        except msgspec.DecodeError as error:
            raise InvalidPayloadError("", sanitise(str(error), _LONGEST_MESSAGE)) from None

    def read_one(self, raw: str | bytes, key: str | None = None) -> msgspec.Raw:
        del key
        try:
            return self._one.decode(raw)
        except msgspec.DecodeError as error:
            raise InvalidPayloadError("", sanitise(str(error), _LONGEST_MESSAGE)) from None


class PayloadReader(Generic[P]):
    """Reads payloads, as received, into the handler's type: the same from every source.

    The keys matter to types that declare an `idempotency_key` alone; everyone else may leave them out.
    """

    __slots__ = ("_declares_key", "_one", "_slice", "_strip")

    def __init__(self, payload_type: Any) -> None:
        try:
            prepared = keyless(payload_type)
            many: Any = list
            self._one: TypeAdapter[P] = TypeAdapter(prepared.type)
            self._slice: TypeAdapter[list[P]] = TypeAdapter(many[prepared.type])
            for adapter in (self._one, self._slice):
                adapter.rebuild(raise_errors=True)  # else an undefined name shows at the first payload
        except (PydanticUserError, NameError, TypeError) as error:
            raise HandlerError(f"{payload_type!r} cannot be a payload type: {first_line(error)}") from error
        self._strip = prepared.strip
        self._declares_key = prepared.declares_key

    def read_slice(self, body: str | bytes, keys: Sequence[str] = ()) -> list[P]:
        """Return the payloads of a JSON array, in one call; `keys` are theirs, in order.

        Raises:
            InvalidPayloadError: one of them does not fit; the pointer begins with its index. `read_one`
                tells which of the others do.
        """
        try:
            if self._declares_key and keys:
                raws = msgspec.json.decode(body, type=list[msgspec.Raw])
                pairs = zip(raws, keys, strict=True)
                body = b"[%b]" % b",".join([with_key(bytes(raw), key) for raw, key in pairs])
            payloads = self._slice.validate_json(body)
        except Exception as error:  # noqa: BLE001  # a validator of the user's may raise anything
            _refuse(error)
        if self._strip is not None:
            self._strip(payloads)
        return payloads

    def read_one(self, raw: str | bytes, key: str | None = None) -> P:
        """Return the payload of one JSON object.

        Raises:
            InvalidPayloadError: it does not fit.
        """
        try:
            if self._declares_key and key is not None:
                raw = with_key(raw.encode() if isinstance(raw, str) else raw, key)
            payload = self._one.validate_json(raw)
        except Exception as error:  # noqa: BLE001  # as above
            _refuse(error)
        if self._strip is not None:
            self._strip([payload])
        return payload


def _refuse(error: Exception) -> NoReturn:
    if isinstance(error, ValidationError):
        details = error.errors(include_url=False, include_context=False, include_input=False)
        pointer = _pointer(details[0]["loc"])
        raise InvalidPayloadError(sanitise(pointer, _LONGEST_MESSAGE), _joined(details)) from None
    # Its text may hold the value (a KeyError's does), so only its type is told.
    raise InvalidPayloadError("", f"the payload's model raised {type(error).__name__}") from None


def _joined(details: Iterable[Mapping[str, Any] | ErrorDetails]) -> str:
    parts = []
    for detail in details:
        field = ".".join(str(step) for step in detail["loc"])
        reason = _SAYS_VALUE.get(detail["type"], detail["msg"])
        parts.append(f"{field}: {reason}" if field else reason)
    return sanitise("; ".join(parts), _LONGEST_MESSAGE)


def _pointer(loc: Iterable[int | str]) -> str:
    """Return the JSON pointer (RFC 6901) of a place that pydantic names."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in loc)
