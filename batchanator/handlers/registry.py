import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

from batchanator.domain.errors import HandlerError, UnknownJobTypeError
from batchanator.handlers.base import JobHandler, SliceHandler
from batchanator.handlers.options import OPTIONS
from batchanator.handlers.registered import RegisteredHandler, from_class, from_function, from_instance
from batchanator.handlers.texts import one_line

GROUP = "batchanator.handlers"


class Registry:
    """The handlers of this process, by job type."""

    def __init__(self) -> None:
        self._handlers: dict[str, RegisteredHandler] = {}
        self._seen: set[int] = set()

    @classmethod
    def load(cls, modules: Sequence[str], *, entry_points: bool = True) -> "Registry":
        """Import `modules` and what is announced under the entry-point group "batchanator.handlers".

        The working directory is made importable.

        Raises:
            HandlerError: a module cannot be imported or has no handlers, a handler is not usable, or two
            claim the
                same job type.
        """
        if os.getcwd() not in sys.path and "" not in sys.path:  # noqa: PTH109  # sys.path holds texts
            sys.path.insert(0, os.getcwd())  # noqa: PTH109
        registry = cls()
        for name in modules:
            registry.add_module(_imported(name))
        if entry_points:
            for entry in _announced():
                registry._add_entry(entry)
        return registry

    def get(self, job_type: str) -> RegisteredHandler:
        """Return the handler of a job type.

        Raises:
            UnknownJobTypeError: there is none here.
        """
        try:
            return self._handlers[job_type]
        except KeyError:
            raise UnknownJobTypeError(job_type, list(self._handlers)) from None

    def __contains__(self, job_type: object) -> bool:
        return job_type in self._handlers

    def __iter__(self) -> Iterator[RegisteredHandler]:
        """Go through the handlers in the order of their names."""
        return iter([self._handlers[name] for name in sorted(self._handlers)])

    def __len__(self) -> int:
        return len(self._handlers)

    def add_module(self, module: ModuleType) -> None:
        """Add every handler that is defined in `module` or imported there."""
        found = [thing for thing in vars(module).values() if _is_handler(thing)]
        if not found:
            nameless = [name for name, thing in vars(module).items() if _lacks_job_type(thing, module)]
            hint = f"; {', '.join(nameless)} has no job_type" if nameless else ""
            raise HandlerError(f"{module.__name__} has no handlers{hint}")
        for thing in found:
            self.add(thing)

    def add(self, thing: Any) -> None:
        """Add a handler class, an instance of one, or a function under `@handler`; the same object once."""
        if id(thing) in self._seen:
            return
        if isinstance(thing, JobHandler | SliceHandler):
            registered = from_instance(thing)
        else:
            registered = from_class(thing) if isinstance(thing, type) else from_function(thing)
        rival = self._handlers.get(registered.job_type)
        if rival is not None:
            raise HandlerError(
                f"two handlers for job type {registered.job_type!r}: {rival.source} and {registered.source}"
            )
        self._seen.add(id(thing))
        self._handlers[registered.job_type] = registered

    def _add_entry(self, entry: EntryPoint) -> None:
        try:
            thing = entry.load()
        except (Exception, SystemExit) as error:
            raise HandlerError(
                f"cannot load entry point {entry.name} = {entry.value}: {one_line(error)}"
            ) from error
        if isinstance(thing, ModuleType):
            self.add_module(thing)
        elif _is_handler(thing) or isinstance(thing, JobHandler | SliceHandler):
            self.add(thing)
        else:
            raise HandlerError(f"entry point {entry.name} = {entry.value} is neither a module nor a handler")


def _announced() -> list[EntryPoint]:
    return sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value))


def _imported(name: str) -> ModuleType:
    if name.endswith(".py") or "/" in name or "\\" in name:
        raise HandlerError(f"{name} is a file; name the module, as in samples.handlers")
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise HandlerError(f"cannot import handlers module {name}: {one_line(error)}") from error


def _is_handler(thing: Any) -> bool:
    if isinstance(thing, type):
        return issubclass(thing, JobHandler | SliceHandler) and hasattr(thing, "job_type")
    return callable(thing) and OPTIONS in getattr(thing, "__dict__", {})


def _lacks_job_type(thing: Any, module: ModuleType) -> bool:
    return (
        isinstance(thing, type)
        and issubclass(thing, JobHandler | SliceHandler)
        and not hasattr(thing, "job_type")
        and thing.__module__ == module.__name__
    )
