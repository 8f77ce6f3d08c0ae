from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

import click

from batchanator.app.loops import run
from batchanator.app.runtime import EVERYTHING, Parts
from batchanator.app.serving import serve
from batchanator.app.tuning import tune_collector
from batchanator.cli import options
from batchanator.handlers.registry import Registry
from batchanator.logs import get_logger
from batchanator.settings import Settings, check_bind, source_roots

_log = get_logger("batchanator.cli")


@click.command()
@options.with_settings(handlers=True, listens=True, log_level="info", logs=True)
def command(*, settings: Settings) -> None:
    """Run the whole service in this process: the API, ingestion, cron, and the handlers.

    It ends at SIGTERM or SIGINT: what runs may finish within the grace, the rest is given back. A database that
    is not there is waited for; /readyz says so meanwhile.
    """
    serve_until_stopped(settings, EVERYTHING)


def serve_until_stopped(settings: Settings, parts: Parts) -> NoReturn:
    check_bind(settings)
    registry = Registry.load(settings.handlers)
    roots = source_roots(settings, Path.cwd())
    _log.info(
        "server.starting",
        version=version("batchanator"),
        job_types=[handler.job_type for handler in registry],
        source_roots=[str(root) for root in roots],
    )
    tune_collector()
    raise click.exceptions.Exit(run(serve(settings, registry, parts, roots=roots)))
