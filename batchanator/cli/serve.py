import os
import socket
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

import click

from batchanator.app.listening import bind
from batchanator.app.loops import run
from batchanator.app.parts import EVERYTHING, Parts
from batchanator.app.serving import serve
from batchanator.app.supervising import join_supervisor, supervise
from batchanator.app.tuning import tune_collector
from batchanator.cli import options
from batchanator.cli.errors import UsageError, refused
from batchanator.cli.leaving import leave
from batchanator.domain.errors import BatchanatorError
from batchanator.handlers.registry import Registry
from batchanator.logs import configure_logging, get_logger
from batchanator.settings import Settings, check_bind, open_to, source_roots

_log = get_logger("batchanator.cli")


@click.command()
@click.option(
    "--processes",
    type=click.IntRange(1, 256),
    metavar="N",
    default=1,
    show_default=True,
    help="How many processes; one that dies is started again. Not on Windows.",
)
@options.with_settings(handlers=True, listens=True, log_level="info", logs=True)
def command(*, settings: Settings, processes: int) -> None:
    """Run the whole service in this process: the API, ingestion, cron, and the handlers.

    It ends at SIGTERM or SIGINT: what runs may finish within the grace, the rest is given back. A database that
    is not there is waited for; /readyz says so meanwhile.
    """
    if processes == 1:
        serve_until_stopped(settings, EVERYTHING)
    if not hasattr(os, "setsid"):  # Windows
        raise UsageError("--processes needs sockets that processes share: start one process a port instead")
    check_bind(settings)
    sockets = bind(settings, EVERYTHING)
    raise click.exceptions.Exit(run(supervise(partial(_one_of_several, settings, sockets), processes)))


def serve_until_stopped(settings: Settings, parts: Parts) -> NoReturn:
    raise click.exceptions.Exit(_serve(settings, parts))


def _serve(
    settings: Settings,
    parts: Parts,
    sockets: Sequence[socket.socket] | None = None,
    on_ready: Callable[[], None] = lambda: None,
) -> int:
    check_bind(settings)
    registry = Registry.load(settings.handlers)
    roots = source_roots(settings, Path.cwd())
    _log.info(
        "server.starting",
        version=version("batchanator"),
        job_types=[handler.job_type for handler in registry],
        open_to=open_to(settings),
        source_roots=[str(root) for root in roots],
    )
    tune_collector()
    return run(serve(settings, registry, parts, roots=roots, sockets=sockets, on_ready=on_ready))


def _one_of_several(settings: Settings, sockets: Sequence[socket.socket], started: Connection) -> None:
    join_supervisor()
    configure_logging(settings.log_format, settings.log_level)
    try:
        code = _serve(settings, EVERYTHING, sockets, lambda: started.send_bytes(b"started"))
    except BatchanatorError as error:
        shown = refused(error)
        shown.show()
        code = shown.exit_code
    leave(code)
