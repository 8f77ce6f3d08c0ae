"""Structured logs on stderr: one line an event, named `noun.past_verb`, with values as fields."""

import logging
import os
import re
import sys
import threading
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Literal, cast

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from batchanator.domain.masking import MASK, escape_controls, mask_credentials

_LONGEST = 2000
_LOOKED_AT = (
    4 * _LONGEST
)  # what is masked before the cut, so that the cut cannot part a password from its "@"
_MOST = 100
_DEEPEST = 6
_SECRET_NAMES = re.compile(r"(?:.*_)?(?:password|passwd|secret|token|api_?key|authorization)", re.IGNORECASE)


def get_logger(name: str) -> FilteringBoundLogger:
    """Return a logger whose events carry `component=name`; it takes its configuration at its first event."""
    return cast("FilteringBoundLogger", structlog.get_logger(component=name))


def configure_logging(
    format: Literal["auto", "json", "console"] = "auto",  # noqa: A002  the word that people use for it
    level: Literal["debug", "info", "warning", "error"] = "info",
) -> None:
    """Send events and the libraries' warnings to stderr; `auto` is console on a terminal, json elsewhere."""
    terminal = sys.stderr is not None and sys.stderr.isatty()
    console = format == "console" or (format == "auto" and terminal)
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _clean_for_console if console else clean,
        _console_renderer(colors=terminal) if console else _render_json,
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=_StderrLogger,
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Bridge)]:
        root.removeHandler(handler)
    root.addHandler(_Bridge())
    root.setLevel(logging.WARNING)


def clean(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Make every value safe to read: passwords masked, control characters escaped, all capped."""
    if isinstance(trace := event.get("exception"), str):
        event["exception"] = _middle_out(trace)
    return {escape_controls(str(name)): _safe(value, str(name)) for name, value in event.items()}


def _clean_for_console(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Keep a traceback's lines apart, each behind a bar, so that none looks like an event of its own."""
    trace = event.pop("exception", None)
    event = clean(logger, method, event)
    if isinstance(trace, str):
        lines = _middle_out(trace).split("\n")
        event["exception"] = "\n".join(f"  | {escape_controls(line)}" for line in lines)
    return event


def _safe(value: Any, name: str = "", depth: int = 0) -> Any:
    if value is not None and _SECRET_NAMES.fullmatch(name):
        return MASK
    match value:
        case None | bool() | float():
            return value
        case int():
            return int(value) if -(2**63) <= value < 2**64 else _text(str(value))
        case Mapping() | list() | tuple() | set() | frozenset():
            return _safe_parts(value, depth) if depth < _DEEPEST else "…"
        case _:
            return _text(_shown(value))


def _safe_parts(value: Collection[Any], depth: int) -> Any:
    if isinstance(value, Mapping):
        pairs = list(value.items())[:_MOST]
        return {_text(_shown(key)): _safe(part, _shown(key), depth + 1) for key, part in pairs}
    parts = [_safe(part, "", depth + 1) for part in list(value)[:_MOST]]
    return [*parts, f"… {len(value) - _MOST} more"] if len(value) > _MOST else parts


def _text(text: str) -> str:
    safe = escape_controls(mask_credentials(text[:_LOOKED_AT]))
    return safe if len(safe) <= _LONGEST else f"{safe[: _LONGEST - 1]}…"


def _middle_out(trace: str) -> str:
    """Mask a traceback and cap it in its middle: its end says what happened, its beginning where from."""
    if len(trace) > 2 * _LOOKED_AT:
        trace = f"{trace[:_LOOKED_AT]} … {trace[-_LOOKED_AT:]}"
    trace = mask_credentials(trace)
    room = _LONGEST * 3 // 4  # the rest is for what escapes add
    return trace if len(trace) <= room else f"{trace[: room // 4]} … {trace[-room * 3 // 4 :]}"


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    try:
        return str(value)
    except Exception:  # noqa: BLE001  a log line never fails because of what it says
        return f"<unprintable {type(value).__name__}>"


def _render_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    first = {name: event.pop(name) for name in ("timestamp", "level", "event") if name in event}
    return orjson.dumps({**first, **event}, default=_shown).decode()


def _console_renderer(*, colors: bool) -> Processor:
    plain = sys.platform == "win32" or "NO_COLOR" in os.environ
    return structlog.dev.ConsoleRenderer(
        colors=colors and not plain, exception_formatter=structlog.dev.plain_traceback, pad_event_to=24
    )


class _StderrLogger:
    """Write lines to whatever stderr is at the time, as a progress bar may have put itself in its place."""

    _lock = threading.Lock()

    def __init__(self, *_names: object) -> None:
        pass

    def msg(self, line: str) -> None:
        stream = sys.stderr
        if stream is None:
            return
        try:
            with self._lock:
                stream.write(f"{line}\n")
                stream.flush()
        except (OSError, ValueError):
            return  # a closed pipe takes the log away, never the work

    debug = info = warning = error = critical = exception = msg


class _Bridge(logging.Handler):
    """Bring the standard library's records into the same pipeline."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            structlog.get_logger().log(
                min(record.levelno, logging.CRITICAL),
                "library.logged",
                component=record.name,
                message=record.getMessage(),
                exc_info=record.exc_info,
            )
        except Exception:  # noqa: BLE001  as logging's own handlers do
            self.handleError(record)
