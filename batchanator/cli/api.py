import click

from batchanator.app.parts import API
from batchanator.cli import options
from batchanator.cli.serve import serve_until_stopped
from batchanator.settings import Settings


@click.command()
@options.with_settings(handlers=True, listens=True, log_level="info", logs=True)
def command(*, settings: Settings) -> None:
    """Serve status, control and /process, with the handlers: what scheduler sends work to.

    Any number of them may share a database.
    """
    serve_until_stopped(settings, API)
