import http.client

import click

from batchanator.app.ports import own_address
from batchanator.cli import options
from batchanator.domain.errors import UnavailableError
from batchanator.settings import Settings

_SECONDS = 4.0


@click.command()
@click.option("--ready", is_flag=True, help="Ask whether it can work, instead of whether it lives.")
@options.with_settings(listens=True, database=False)
def command(*, settings: Settings, ready: bool) -> None:
    """Ask the serving process on this machine whether it lives; exit code 1 where it does not say so.

    This is the health check of the image. It asks at the address that the settings name.
    """
    host, port = own_address(settings)
    connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
    try:
        connection.request("GET", "/readyz" if ready else "/healthz")
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(f"{host}:{port} does not answer: {error}") from error
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise UnavailableError(f"{host}:{port} answers {answer.status}: {text}")
    click.echo(text)
