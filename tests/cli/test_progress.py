"""Bars on a terminal, plain lines elsewhere; both from the same readings."""

import io
import re
from collections.abc import AsyncIterator

import pytest
from rich.console import Console

from batchanator.cli import progress
from batchanator.cli.progress import watch
from batchanator.store.driver import Row

NUMBERS = ("lines", "accepted", "succeeded", "skipped", "dead", "cancelled", "retrying", "source_position")


def row(**changes: object) -> Row:
    times = dict.fromkeys(("sealed_at", "paused_at", "ended_at"))
    return {"id": 7, **dict.fromkeys(NUMBERS, 0), "source_size": 100, **times, **changes}


async def readings(*rows: Row) -> AsyncIterator[tuple[Row, float]]:
    for second, one in enumerate(rows):
        yield one, float(second)


RUN = (
    row(lines=500, accepted=500, source_position=50),
    row(lines=1000, accepted=1000, sealed_at="now", succeeded=400, dead=2, retrying=1),
    row(lines=1000, accepted=1000, sealed_at="now", succeeded=998, dead=2, ended_at="now"),
)


async def test_elsewhere_there_is_a_line_now_and_then(monkeypatch):
    monkeypatch.setattr(progress, "LINE_SECONDS", 0)
    file = io.StringIO()
    last = await watch(readings(*RUN), Console(file=file, width=200))
    assert last["ended_at"] == "now"
    assert file.getvalue().splitlines() == [
        "job 7: 500 lines read (50%), 0 of ~1,000 items",
        "job 7: 1,000 lines read (100%), 402 of 1,000 items, 402/s, 0:01 left, 1 retrying, 2 dead",
        "job 7: 1,000 lines read (100%), 1,000 of 1,000 items, 500/s, 2 dead",
    ]


async def test_a_terminal_too_narrow_for_bars_gets_lines_too(monkeypatch):
    monkeypatch.setattr(progress, "LINE_SECONDS", 0)
    console = Console(file=io.StringIO(), width=59, force_terminal=True, record=True)
    await watch(readings(*RUN), console)
    assert console.export_text().startswith("job 7: 500 lines read")


async def test_a_short_job_prints_no_line(monkeypatch):
    file = io.StringIO()
    await watch(readings(*RUN), Console(file=file, width=200))
    assert file.getvalue() == ""


@pytest.mark.parametrize("width", [60, 72, 80, 120])
async def test_bars_fit_every_terminal_with_room_for_what_it_echoes(width):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, record=True, color_system=None)
    await watch(readings(*RUN), console)
    drawn = re.split(r"\n|(?=Reading|Running)", console.export_text())  # a bar is drawn over the last one
    assert any(bar.startswith("Running") for bar in drawn)
    assert max(len(bar) for bar in drawn) <= width - 4
