"""Finding out from a handler's own types what its payloads are."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ForwardRef, TypeVar, get_args, get_origin, get_type_hints

from batchanator.domain.errors import HandlerError
from batchanator.handlers.texts import one_line

_POSITIONAL = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
_LISTS = {list, Sequence}


@dataclass(frozen=True, slots=True)
class Signature:
    """`annotation` is that of the first parameter, resolved; None where there is none."""

    annotation: Any
    takes_context: bool
    is_async: bool


def read_signature(function: Callable[..., object], source: str) -> Signature:
    """Return what `function(payload, context)` says of itself; bound methods come without their self.

    Raises:
        HandlerError: it cannot be called with a payload and a context.
    """
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise HandlerError(f"{source} yields; a handler returns its outcome")
    parameters = list(inspect.signature(function).parameters.values())
    positional = [p for p in parameters if p.kind in _POSITIONAL]
    takes_rest = any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters)
    required = [p for p in positional if p.default is inspect.Parameter.empty]
    keywords = [
        p
        for p in parameters
        if p.kind is inspect.Parameter.KEYWORD_ONLY and p.default is inspect.Parameter.empty
    ]
    if not positional or len(required) > 2 or keywords:
        raise HandlerError(f"{source} must take (payload) or (payload, context)")
    annotation = positional[0].annotation
    if annotation is inspect.Parameter.empty:
        annotation = None
    elif not isinstance(annotation, type):
        annotation = resolve(annotation, function, source)
    takes_context = len(positional) > 1 or takes_rest
    return Signature(annotation, takes_context, inspect.iscoroutinefunction(function))


def resolve(annotation: Any, where: Any, source: str) -> Any:
    """Return a type with its quoted names filled in; others may be there for type checkers alone."""
    text = annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else annotation
    names = getattr(inspect.unwrap(getattr(where, "__func__", where)), "__globals__", None)
    if names is None:
        names = vars(inspect.getmodule(where)) if inspect.getmodule(where) else {}
    try:
        holder = SimpleNamespace(__annotations__={"payload": text})
        return get_type_hints(holder, globalns=dict(names), include_extras=True)["payload"]
    except Exception as error:
        raise HandlerError(
            f"the payload type of {source}, {text!r}, cannot be resolved ({one_line(error)})"
        ) from error


def generic_argument(cls: type, base: type) -> Any:
    """Return T of `class cls(base[T])`, through generic classes in between; None where it is left open."""
    for parent in cls.__dict__.get("__orig_bases__", cls.__bases__):
        origin = get_origin(parent) or parent
        if not isinstance(origin, type) or not issubclass(origin, base):
            continue
        arguments = get_args(parent)
        if origin is base:
            found = arguments[0] if arguments else None
        else:
            found = generic_argument(origin, base)
            if isinstance(found, TypeVar) and arguments:
                found = dict(zip(origin.__parameters__, arguments, strict=False)).get(found)  # type: ignore[attr-defined]
        if found is not None:
            return found
    return None


def list_argument(annotation: Any) -> Any:
    """Return Model of `list[Model]` or `Sequence[Model]`, None for everything else."""
    arguments = get_args(annotation)
    return arguments[0] if get_origin(annotation) in _LISTS and arguments else None
