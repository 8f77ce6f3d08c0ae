"""The command line: what commands there are. A command's module is imported when it is called, and not before."""

import sys
from importlib.metadata import version

import click

from batchanator.cli.commands import Commands, Listed
from batchanator.cli.leaving import leave

SECTIONS: dict[str, tuple[Listed, ...]] = {
    "Run": (
        Listed("serve", "Run the whole service in this process (the default)."),
        Listed("api", "Serve status and /process, with the handlers."),
        Listed("scheduler", "Take triggers, read sources, send work to an api."),
        Listed("process", "Send a file through its handler, here and now."),
        Listed("ingest", "Submit a file or staging rows; a serving process runs them."),
        Listed("validate", "Say what would be rejected in a file; writes nothing."),
    ),
    "Look": (
        Listed("jobs", "List jobs, newest first."),
        Listed("job", "Show one job; --watch follows it to its end."),
        Listed("item", "Show what became of one line, or who holds a key."),
        Listed("rejects", "List the lines of a job that could not become items."),
        Listed("duplicates", "List the lines of a job whose keys were taken, and who holds them."),
        Listed("results", "Write what became of each item as NDJSON, in input order."),
        Listed("handlers", "List the job types that have a handler here."),
        Listed("config", "Show the settings in force, secrets masked."),
        Listed("health", "Ask the process that serves here whether it lives."),
    ),
    "Operate": (
        Listed("cancel", "Stop a job: what is free will not run."),
        Listed("pause", "Let nothing more of a job start."),
        Listed("resume", "Let a paused job go on."),
        Listed("dead-letter", "List, replay or purge a job's dead letters."),
    ),
    "Keys": (Listed("keys", "Make a key for callers of the HTTP API."),),
    "Database": (
        Listed("doctor", "Say what is stuck or will bite, and what mends it."),
        Listed("migrate", "Bring the schema up to date."),
        Listed("verify", "Check that the books add up; safe while others work."),
    ),
}


@click.group(
    cls=Commands,
    sections=SECTIONS,
    default="serve",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(version("batchanator"), prog_name="batchanator", message="%(prog)s %(version)s")
def cli() -> None:
    """Push records through your own code, in your own database, and know what became of every line.

    Without a command: serve. Every command says more with --help.
    """


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # what a terminal cannot show is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    try:
        cli(prog_name="batchanator")
    except SystemExit as end:
        leave(end.code if isinstance(end.code, int) else 1)
