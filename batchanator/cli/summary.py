"""What became of a job, as a table that adds up, with its first rejects and dead letters."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from batchanator.app.report import Holders, JobReport
from batchanator.cli.terminal import STYLES, duration, number, per_second, plural, safe, status
from batchanator.domain.progress import finished
from batchanator.domain.reasons import status_reason
from batchanator.store.driver import Row

_MARKS = {"completed": "✔", "partially_completed": "!", "failed": "✘", "cancelled": "✘"}
_SHOWN_JOBS = 3


class Spell(NamedTuple):
    """What this process saw of a job: for how long, and how many items ended meanwhile."""

    took: timedelta
    done: int


def summary(report: JobReport, *, spell: Spell | None = None) -> Group:
    """Return the whole; the speed is that of `spell`, or of the job's whole life."""
    parts = [Padding(counts(report), (1, 0, 0, 2))]
    if speed := _speed(report.job, spell):
        parts.append(Padding(speed, (1, 0, 0, 2)))
    parts += [Padding(part, (1, 0, 0, 2)) for part in problems(report)]
    return Group(_heading(report.job), *parts)


def _heading(job: Row) -> Text:
    state = job["status"]
    text = Text.assemble(
        (f"{_MARKS.get(state, '…')} ", STYLES.get(state, "cyan")),
        (f"Job {job['id']} ", "bold"),
        status(state.replace("_", " ")),
        f"   {safe(job['name'], longest=80)} → {safe(job['job_type'], longest=80)}",
    )
    text.stylize(STYLES.get(state, "cyan"), 0, 1)
    if reason := status_reason(job):
        text.append(f"\n  {safe(reason.text)}", style="red" if state == "failed" else "")
    return text


def counts(report: JobReport) -> Table:
    """Return the table: what is indented sums to the line above it."""
    job, table = report.job, Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(overflow="fold", style="dim")
    still = [name for name in ("pending", "processing", "retrying") if job[name]]
    rows: list[tuple[int, str, str]] = [(0, "lines", ""), (1, "accepted", "")]
    rows += [(2, "succeeded", ""), (2, "skipped", "")]
    rows += [(2, "dead", f"→ dead-letter {job['id']}" if job["dead"] else ""), (2, "cancelled", "")]
    rows += [(2, name, "still open") for name in still]
    rows += [(1, "duplicates", _held_by(report.holders, job)), (1, "rejected", "")]
    for depth, name, note in rows:
        value: int = job[name]
        style = "dim" if not value else STYLES.get(name, "") if depth else "bold"
        table.add_row(
            Text(f"{'  ' * depth}{name}", style=style), Text(number(value), style=style), Text(note)
        )
    return table


def _held_by(holders: Holders, job: Row) -> str:
    if not holders.jobs:
        return ""
    others = [one for one in holders.jobs if one != job["id"]]
    whose = []
    if others:
        names = ", ".join(str(one) for one in others[:_SHOWN_JOBS])
        more = f" and {len(others) - _SHOWN_JOBS} more" if len(others) > _SHOWN_JOBS else ""
        whose.append(f"of job{'s' if len(others) > 1 else ''} {names}{more}")
    if len(others) < len(holders.jobs):
        whose.append("of earlier lines here")
    at_least = "" if holders.complete else "at least "
    notes = [" and ".join(whose)]
    if holders.conflicts:
        notes.append(f"{at_least}{plural(holders.conflicts, 'line')} with another payload")
    if holders.dead:
        notes.append(f"{at_least}{plural(holders.dead, 'line')} of dead letters")
    return "; ".join(notes)


def _speed(job: Row, spell: Spell | None) -> Text:
    if spell is None:
        if job["started_at"] is None or job["ended_at"] is None:
            return Text()
        spell = Spell(job["ended_at"] - job["started_at"], finished(job))
    seconds = spell.took.total_seconds()
    count, what = (spell.done, "items") if job["accepted"] else (job["lines"], "lines")
    speed = f", {per_second(count / seconds)} {what} a second" if seconds and count else ""
    return Text(f"{duration(spell.took)}{speed}", style="dim")


def problems(report: JobReport) -> Iterator[RenderableType]:
    """Yield the first rejects, the first dead letters, and what else has to be said."""
    job = report.job
    if report.rejects:
        rows = [(row["line"], row["code"], row["message"]) for row in report.rejects]
        yield _listed("Rejected lines", rows, job["rejected"])
    if report.dead:
        rows = [(row["seq"], _why(row), row["last_error"] or "") for row in report.dead]
        yield _listed("Dead letters", rows, job["dead"])
    for holder in report.holders.unended:
        yield Text(f"Job {holder} holds some of these lines and has not ended.", style="yellow")


def _why(row: Row) -> str:
    code = row["error_code"] or row["reason"]
    return code if row["attempts"] <= 1 else f"{code}, {row['attempts']} attempts"


def _listed(title: str, rows: Sequence[tuple[int, str, str]], total: int) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right")
    table.add_column(style="red")
    table.add_column(overflow="fold")
    for line, code, message in rows:
        table.add_row(f"line {line}", Text(safe(code, longest=80)), Text(safe(message, longest=200)))
    rest = total - len(rows)
    tail = [Text(f"and {plural(rest, 'more', 'more')}", style="dim")] if rest > 0 else []
    return Group(Text(title, style="bold"), table, *tail)
