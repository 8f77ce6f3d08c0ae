"""A job's progress for whoever watches: two bars on a terminal, a line every few seconds elsewhere. On stderr."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Protocol

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bars
from rich.table import Column

from batchanator.cli.terminal import clock, number, per_second, plural
from batchanator.domain.progress import Meter, Progress
from batchanator.store.driver import Row

LINE_SECONDS = 5.0
_FULL = 1000
_TOO_NARROW = 60
_NARROW = 72
_WIDE = 100


class View(Protocol):
    def show(self, job: Row, progress: Progress) -> None: ...


async def watch(readings: AsyncIterator[tuple[Row, float]], console: Console) -> Row:
    """Show every reading of a job, and return the last one."""
    meter, last = Meter(), None
    with _view(console) as view:
        async for job, at in readings:
            view.show(job, meter.read(job, at=at))
            last = job
    assert last is not None
    return last


@contextmanager
def _view(console: Console) -> Iterator[View]:
    if not console.is_terminal or console.is_dumb_terminal or console.width < _TOO_NARROW:
        yield _Lines(console)
        return
    with _Bars(
        TextColumn("{task.description}", table_column=Column(width=7, no_wrap=True)),
        BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=4)),
        TextColumn("{task.fields[part]}", justify="right", table_column=Column(width=4, no_wrap=True)),
        TextColumn("{task.fields[detail]}", markup=False, table_column=Column(no_wrap=True)),
        console=console,
        expand=True,
        transient=True,
    ) as bars:
        yield _TwoBars(bars, width=console.width)


class _Bars(Bars):
    """Bars that leave room for the `^C` that a terminal shows: at the last column it would begin a line."""

    def get_renderable(self) -> RenderableType:
        return _LessWide(super().get_renderable())


class _LessWide:
    def __init__(self, inner: RenderableType) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from console.render(self._inner, options.update(max_width=max(options.max_width - 4, 20)))


class _TwoBars:
    def __init__(self, bars: Bars, *, width: int) -> None:
        self._bars = bars
        self._width = width
        self._widest = 0
        self._read = bars.add_task("Reading", total=_FULL, part="", detail="")
        self._done = bars.add_task("Running", total=_FULL, part="", detail="")

    def show(self, job: Row, progress: Progress) -> None:
        reading = [plural(progress.lines, "line")]
        if job["sealed_at"] is None and progress.lines_per_second:
            reading.append(f"{per_second(progress.lines_per_second)}/s")
        self._set(self._read, progress.read, reading)
        self._set(self._done, progress.part, _running(job, progress, width=self._width))

    def _set(self, task: object, part: float | None, details: list[str]) -> None:
        detail = "  ".join(details)
        self._widest = max(self._widest, len(detail))  # so that the bars keep their length
        self._bars.update(
            task,  # type: ignore[arg-type]
            completed=int(_FULL * (part or 0)),
            part="" if part is None else f"{int(part * 100)}%",
            detail=detail.ljust(self._widest),
        )


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._next = monotonic() + LINE_SECONDS

    def show(self, job: Row, progress: Progress) -> None:
        if monotonic() < self._next:
            return
        self._next = monotonic() + LINE_SECONDS
        read = "" if progress.read is None else f" ({int(progress.read * 100)}%)"
        reading = f"{plural(progress.lines, 'line')} read{read}"
        parts = [reading, *_running(job, progress, width=_WIDE)]
        self._console.print(f"job {job['id']}: {', '.join(parts)}", soft_wrap=True)


def _running(job: Row, progress: Progress, *, width: int) -> list[str]:
    """Return what is done, how fast, until when, and what went wrong so far."""
    about = "~" if progress.is_estimate else ""
    total = f" of {about}{number(progress.items)}" if progress.items else ""
    parts = [f"{number(progress.done)}{total}" + (" items" if width >= _WIDE else "")]
    if job["paused_at"] is not None and job["ended_at"] is None:
        parts.append("paused")
    elif progress.items_per_second:
        parts.append(f"{per_second(progress.items_per_second)}/s")
        if progress.eta is not None and width >= _NARROW:
            parts.append(f"{clock(progress.eta)} left")
    if job["retrying"]:
        parts.append(f"{number(job['retrying'])} retrying")
    if job["dead"]:
        parts.append(f"{number(job['dead'])} dead")
    return parts
