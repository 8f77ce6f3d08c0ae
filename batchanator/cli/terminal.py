"""How things look at a terminal: numbers, durations, rates, instants, and text that came from a file."""

import sys
from datetime import datetime, timedelta
from typing import Final

from rich.console import Console, RenderableType
from rich.text import Text

from batchanator.domain.masking import escape_controls

PIPE_WIDTH: Final = 1000  # whoever reads a pipe cuts lines himself
STYLES: Final = {
    "completed": "green",
    "succeeded": "green",
    "partially_completed": "yellow",
    "failed": "red",
    "dead": "red",
    "rejected": "red",
    "cancelled": "magenta",
    "paused": "yellow",
}


def out() -> Console:
    return _console(stderr=False)


def err() -> Console:
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


def safe(text: object, *, longest: int = 500) -> str:
    """Return text of a file, a handler or a person without anything that a terminal would act upon."""
    shown = escape_controls(str(text))
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def show(*renderables: RenderableType) -> None:
    """Print on stdout; without the blanks at the ends of lines where that is no terminal."""
    console = out()
    if console.is_terminal:
        console.print(*renderables, sep="\n")
        return
    with console.capture() as captured:
        console.print(*renderables, sep="\n")
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def status(name: str) -> Text:
    return Text(name, style=STYLES.get(name, "cyan"))


def number(value: int) -> str:
    return f"{value:,}"


def plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def per_second(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def duration(time: timedelta) -> str:
    """Write `0.42 s`, `8.1 s`, `2:05`, `1:02:03`."""
    seconds = max(time.total_seconds(), 0.0)
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    return clock(time)


def clock(time: timedelta) -> str:
    """Write `0:07`, `2:05`, `1:02:03`."""
    hours, rest = divmod(round(max(time.total_seconds(), 0.0)), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def instant(at: datetime | None) -> str:
    """Write an instant in UTC, so that it can be compared with the logs."""
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M:%S}Z"
