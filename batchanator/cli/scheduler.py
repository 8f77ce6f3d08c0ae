import click

from batchanator.app.parts import SCHEDULER
from batchanator.cli import options
from batchanator.cli.serve import serve_until_stopped
from batchanator.settings import Settings


@click.command()
@options.with_settings(handlers=True, listens=True, log_level="info", logs=True)
def command(*, settings: Settings) -> None:
    """Serve triggers, read sources, and send items to the handlers at ApiBaseUrl.

    It needs no handlers itself: job types are known by JobTypes, or once an api has started on the same database.
    Any number of them may share a database.
    """
    serve_until_stopped(settings, SCHEDULER)
