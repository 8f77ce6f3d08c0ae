import hashlib
import secrets
from typing import get_args

import click
import orjson

from batchanator.cli import options
from batchanator.cli.once import tell
from batchanator.cli.writing import write_json
from batchanator.domain.access import Role, is_name
from batchanator.domain.masking import KEY_PREFIX

BYTES = 32


def _checked(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    if not is_name(name):
        raise click.BadParameter("a name has 1 to 100 printable characters and no colon")
    return name


@click.command()
@click.argument("action", type=click.Choice(["new"]))
@click.argument("name", callback=_checked)
@click.option(
    "--role",
    "roles",
    type=click.Choice(get_args(Role)),
    multiple=True,
    required=True,
    help="What its holder may do; repeatable.",
)
@click.option(
    "--job-type",
    "job_types",
    multiple=True,
    metavar="TYPE",
    help="A job type that it is limited to; repeatable.",
)
@options.as_json
def command(
    *, action: str, name: str, roles: tuple[str, ...], job_types: tuple[str, ...], as_json: bool
) -> None:
    """Make a key called NAME: shown this once, and what the configuration needs to know it by.

    Nothing is written anywhere. The section goes into ApiKeys, the key to its holder.
    """
    del action
    key = KEY_PREFIX + secrets.token_urlsafe(BYTES)
    section: dict[str, object] = {
        "Name": name,
        "Sha256": hashlib.sha256(key.encode()).hexdigest(),
        "Roles": list(dict.fromkeys(roles)),
    }
    if job_types:
        section["JobTypes"] = list(dict.fromkeys(job_types))
    if as_json:
        write_json({"key": key, "apiKeys": [section]})
        return
    tell("Give the key to its holder, it is shown this once; add the section to ApiKeys.")
    click.echo(key)
    click.echo(orjson.dumps(section))
