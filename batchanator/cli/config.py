import click
from rich.table import Table
from rich.text import Text

from batchanator.cli import options
from batchanator.cli.terminal import safe, show
from batchanator.cli.writing import write_json
from batchanator.settings import Settings, describe


@click.command()
@options.as_json
@options.with_settings(handlers=True, listens=True, logs=True)
def command(*, settings: Settings, as_json: bool) -> None:
    """Show the settings in force, with passwords and keys masked."""
    shown = describe(settings)
    if as_json:
        write_json({"Batchanator": shown})
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in _flat(shown, ""):
        table.add_row(Text(name), Text(value, style="dim" if value == "-" else ""))
    show(table)


def _flat(value: object, name: str) -> list[tuple[str, str]]:
    """Return `Maintenance.DeadLetterRetry.Enabled` and its value, one setting a line."""
    match value:
        case dict() if value:
            parts = [(f"{name}.{key}" if name else str(key), part) for key, part in value.items()]
        case list() if value and isinstance(value[0], dict):
            parts = [(f"{name}[{index}]", part) for index, part in enumerate(value)]
        case list() | tuple() if value:
            return [(name, safe(", ".join(str(part) for part in value)))]
        case None | [] | {} | ():
            return [(name, "-")]
        case bool():
            return [(name, str(value).lower())]
        case _:
            return [(name, safe(value))]
    return [line for key, part in parts for line in _flat(part, key)]
