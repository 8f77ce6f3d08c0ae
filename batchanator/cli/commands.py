"""A group of commands that stand in sections and are imported when they are called, with one that is the default."""

import difflib
import importlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import click

from batchanator.cli.errors import refused
from batchanator.domain.errors import BatchanatorError

_INTERRUPTED = 130
_OF_THE_GROUP = {"-h", "--help", "--version"}


WITH_VALUE = {
    "--config",
    "--database",
    "--handlers",
    "--host",
    "--port",
    "--processes",
    "--log-format",
    "--log-level",
}
"""Options that may stand before a command and are followed by a value."""


class Listed(NamedTuple):
    """A command by its name and its line in the list; its module is `batchanator.cli.<name>`."""

    name: str
    line: str


class Commands(click.Group):
    def __init__(
        self, *arguments: Any, sections: Mapping[str, Sequence[Listed]], default: str, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self._sections = sections
        self._default = default

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return [listed.name for section in self._sections.values() for listed in section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"batchanator.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take options before a command for that command's, and options without one for the default command's."""
        if not args or (args[0].startswith("-") and args[0] not in _OF_THE_GROUP):
            at = _after_options(args)
            args = (
                [*args[at : at + 1], *args[:at], *args[at + 1 :]]
                if at < len(args)
                else [self._default, *args]
            )
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args[0] not in known:
            near = difflib.get_close_matches(args[0], known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Known are {', '.join(known)}."
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        width = max(len(listed.name) for section in self._sections.values() for listed in section)
        for title, section in self._sections.items():
            with formatter.section(title):
                formatter.write_dl([(listed.name.ljust(width), listed.line) for listed in section])

    def invoke(self, ctx: click.Context) -> Any:
        """Turn our errors into one line on stderr and an exit code."""
        try:
            return super().invoke(ctx)
        except BatchanatorError as error:
            raise refused(error) from error
        except KeyboardInterrupt:
            raise click.exceptions.Exit(_INTERRUPTED) from None


def _after_options(args: Sequence[str]) -> int:
    """Return where the options that `args` begin with end, their values among them."""
    at = 0
    while at < len(args) and args[at].startswith("-"):
        at += 2 if args[at] in WITH_VALUE else 1
    return at
