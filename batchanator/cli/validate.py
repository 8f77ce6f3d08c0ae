from collections.abc import Iterator

import click
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from batchanator.app.validating import Finding, Validation, Validator
from batchanator.cli import options
from batchanator.cli.once import existing_file
from batchanator.cli.terminal import err, number, plural, safe, show
from batchanator.cli.writing import write_json
from batchanator.handlers.registry import Registry
from batchanator.settings import Settings


@click.command()
@click.argument("file", type=click.Path())
@options.job_type
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    default=20,
    show_default=True,
    help="How many findings to show.",
)
@options.as_json
@options.with_settings(handlers=True, database=False)
def command(*, settings: Settings, file: str, job_type: str, limit: int, as_json: bool) -> None:
    """Say what would become of FILE: lines that would be rejected, come twice or do not fit the handler's model.

    Nothing is written and no database is asked, so keys of earlier jobs are not known here. Exit code 1 where
    anything was found.
    """
    handler = Registry.load(settings.handlers).get(job_type)
    source = existing_file(file)
    validator = Validator(source, handler.payloads, settings)
    shown: list[Finding] = []
    for findings in _watched(validator, err()):
        shown += findings[: limit - len(shown)]
    if as_json:
        write_json(_json(validator.counts, shown))
    else:
        show(*_report(validator.counts, shown, name=f"{source.name} → {job_type}"))
    raise click.exceptions.Exit(0 if validator.counts.is_clean else 1)


def _watched(validator: Validator, console: Console) -> Iterator[list[Finding]]:
    if not console.is_terminal:
        yield from validator.findings()
        return
    columns = (TextColumn("Reading"), BarColumn(bar_width=None), TextColumn("{task.fields[lines]}"))
    with Progress(*columns, console=console, expand=True, transient=True) as bar:
        task = bar.add_task("", total=max(validator.size, 1), lines="")
        for findings in validator.findings():
            lines = plural(validator.counts.lines, "line")
            bar.update(task, completed=validator.position, lines=lines)
            yield findings


def _report(counts: Validation, shown: list[Finding], *, name: str) -> Iterator[RenderableType]:
    mark, style = ("✔", "green") if counts.is_clean else ("✘", "red")
    yield Text.assemble((f"{mark} ", style), safe(name, longest=160))
    yield Padding(_counts(counts), (1, 0, 0, 2))
    if shown:
        yield Padding(_findings(shown), (1, 0, 0, 2))
    rest = counts.rejected + counts.duplicates + counts.conflicts + counts.invalid - len(shown)
    if rest:
        yield Text(f"  and {plural(rest, 'more', 'more')}", style="dim")


def _counts(counts: Validation) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")
    rows = [
        (0, "lines", counts.lines, f"and {plural(counts.blank, 'blank one')}" if counts.blank else ""),
        (1, "items", counts.items, ""),
        (2, "valid", counts.items - counts.invalid, ""),
        (2, "invalid", counts.invalid, "would be dead letters" if counts.invalid else ""),
        (1, "duplicates", counts.duplicates, "within this file" if counts.duplicates else ""),
        (1, "conflicts", counts.conflicts, "duplicates with another payload" if counts.conflicts else ""),
        (1, "rejected", counts.rejected, ""),
    ]
    for depth, what, value, note in rows:
        style = "dim" if not value else "bold" if not depth else ""
        style = "red" if value and what in {"invalid", "conflicts", "rejected"} else style
        table.add_row(Text("  " * depth + what, style=style), Text(number(value), style=style), note)
    return table


def _findings(shown: list[Finding]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right")
    table.add_column(style="red")
    table.add_column(style="cyan", overflow="fold")
    table.add_column(overflow="fold")
    for one in shown:
        pointer, message = safe(one.pointer, longest=80), safe(one.message, longest=200)
        table.add_row(f"line {one.line}", Text(one.code), Text(pointer), Text(message))
    return table


def _json(counts: Validation, shown: list[Finding]) -> dict[str, object]:
    return {
        "lines": counts.lines,
        "blank": counts.blank,
        "items": counts.items,
        "invalid": counts.invalid,
        "duplicates": counts.duplicates,
        "conflicts": counts.conflicts,
        "rejected": counts.rejected,
        "errors": [
            {"line": one.line, "pointer": one.pointer, "code": one.code, "detail": one.message}
            for one in shown
        ],
    }
