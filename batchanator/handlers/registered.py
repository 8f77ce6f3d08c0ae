import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from batchanator.domain.errors import HandlerError
from batchanator.domain.policy import HandlerPolicy
from batchanator.handlers.base import JobHandler, SliceHandler
from batchanator.handlers.options import OPTIONS, HandlerOptions, policy_of
from batchanator.handlers.payloads import PayloadReader, Payloads
from batchanator.handlers.signature import Signature, generic_argument, list_argument, read_signature, resolve
from batchanator.handlers.texts import one_line

Hook = Callable[[], Awaitable[None]]
Place = Literal["here", "child", "elsewhere"]
"""In this process, in a child of it, or at another address."""

AnyHandler = JobHandler[Any] | SliceHandler[Any]


@dataclass(frozen=True, slots=True)
class RegisteredHandler:
    """A handler ready to run, whatever it was written as.

    `call(payload, context)`, or `call(payloads, context)` where `whole_slice`; it returns an awaitable where
    `is_async` and belongs in a thread where not. `source` is "module:qualname".
    """

    job_type: str
    source: str
    is_async: bool
    whole_slice: bool
    call: Callable[[Any, Any], Any]
    payloads: Payloads
    policy: HandlerPolicy
    start: Hook | None = None
    stop: Hook | None = None
    place: Place = "here"


def from_function(function: Callable[..., Any]) -> RegisteredHandler:
    """Return the handler that a function under `@handler` is."""
    source = source_of(function)
    signature = read_signature(function, source)
    payload_type = list_argument(signature.annotation)
    whole_slice = payload_type is not None
    if not whole_slice:
        payload_type = _annotated(signature.annotation, source)
    options: HandlerOptions = getattr(function, OPTIONS)
    return _registered(options, source, signature, function, payload_type, whole_slice=whole_slice)


def from_class(cls: type[AnyHandler]) -> RegisteredHandler:
    """Return the handler that a class is; one instance of it is made."""
    source = source_of(cls)
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(cls.__abstractmethods__))
        raise HandlerError(f"{source} has a job_type but no {missing}")
    try:
        instance = cls()
    except Exception as error:
        raise HandlerError(
            f"{source} cannot be made without arguments ({one_line(error)}); open things in start()"
        ) from error
    return from_instance(instance)


def from_instance(instance: AnyHandler) -> RegisteredHandler:
    """Return the handler that an object made by its own module is."""
    cls = type(instance)
    source = source_of(cls)
    whole_slice = isinstance(instance, SliceHandler)
    signature = read_signature(instance.process, source)
    payload_type = generic_argument(cls, SliceHandler if whole_slice else JobHandler)
    if payload_type is not None and not isinstance(payload_type, type | TypeVar):
        payload_type = resolve(payload_type, cls, source)
    if payload_type is None or isinstance(payload_type, TypeVar):
        annotation = list_argument(signature.annotation) if whole_slice else signature.annotation
        payload_type = _annotated(annotation, source)
    options = HandlerOptions(
        instance.job_type,
        instance.slice_size,
        instance.timeout,
        instance.max_attempts,
        instance.backoff,
        instance.max_retry_delay,
        instance.cpu_bound,
    )
    start, stop = _hook(instance, "start"), _hook(instance, "stop")
    return _registered(
        options,
        source,
        signature,
        instance.process,
        payload_type,
        whole_slice=whole_slice,
        start=start,
        stop=stop,
    )


def source_of(thing: Any) -> str:
    return f"{thing.__module__}:{thing.__qualname__}"


def _registered(
    options: HandlerOptions,
    source: str,
    signature: Signature,
    function: Callable[..., Any],
    payload_type: Any,
    *,
    whole_slice: bool,
    start: Hook | None = None,
    stop: Hook | None = None,
) -> RegisteredHandler:
    policy = policy_of(options, source)
    try:
        payloads: PayloadReader[Any] = PayloadReader(payload_type)
    except HandlerError as error:
        raise HandlerError(f"{source}: {error}") from error
    if options.cpu_bound and (signature.is_async or "<locals>" in source):
        raise HandlerError(
            f"{source} is cpu_bound: it must be a plain def that other processes can import, "
            "at the top of its module and not async"
        )
    call = function if signature.takes_context else lambda payload, _context: function(payload)
    return RegisteredHandler(
        options.job_type,
        source,
        signature.is_async,
        whole_slice,
        call,
        payloads,
        policy,
        start,
        stop,
        place="child" if options.cpu_bound else "here",
    )


def _annotated(annotation: Any, source: str) -> Any:
    if annotation is None or isinstance(annotation, TypeVar):
        raise HandlerError(
            f"{source} does not say what its payload is: write JobHandler[Model] or SliceHandler[Model], "
            "or annotate the first parameter"
        )
    if annotation in {list, Sequence}:
        raise HandlerError(
            f"{source}: a slice handler's first parameter must name the model, as in list[Model]"
        )
    return annotation


def _hook(instance: AnyHandler, name: str) -> Hook | None:
    hook: Hook = getattr(instance, name)
    if getattr(hook, "__func__", None) in {JobHandler.start, JobHandler.stop}:
        return None
    if not inspect.iscoroutinefunction(hook):
        raise HandlerError(f"{source_of(type(instance))}.{name} must be an async def")
    return hook
