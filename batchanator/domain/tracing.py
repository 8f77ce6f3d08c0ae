"""Spans of what a process does, where somebody wants them. What is here makes none, and costs nothing."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol


class Trace(Protocol):
    """Where the spans of handlers belong: entered around each call of one, in its own task."""

    def enter(self) -> Any: ...

    def leave(self, token: Any) -> None:
        """Undo an `enter`, by what it returned."""
        ...


class Span:
    """A span that is nowhere."""

    __slots__ = ()

    @property
    def trace(self) -> Trace | None:
        return None

    def tell(self, outcomes: Mapping[str, int]) -> None:
        """Say how many items ended how."""


class Spans:
    """Makes no spans."""

    __slots__ = ()

    def slice(self, _attributes: Mapping[str, str | int]) -> AbstractContextManager[Span]:
        """Begin a trace of its own for a slice in hand."""
        return nullcontext(_NO_SPAN)

    def request(
        self, _headers: Mapping[str, str], _attributes: Mapping[str, str | int]
    ) -> AbstractContextManager[Span]:
        """Go on with the trace that a dispatcher's request belongs to."""
        return nullcontext(_NO_SPAN)

    def headers(self) -> Mapping[str, str]:
        """Return what tells another process which trace its request belongs to (W3C Trace Context)."""
        return {}


_NO_SPAN = Span()
NO_SPANS = Spans()
