import asyncio
from datetime import timedelta

import click

from batchanator.app.loops import run
from batchanator.app.opening import database_name, open_when_there, sqlite_file
from batchanator.cli import options
from batchanator.cli.once import tell
from batchanator.cli.terminal import show
from batchanator.settings import Settings
from batchanator.store.migrations import Migration, known, migrate, pending
from batchanator.store.statements import Dialect
from batchanator.store.store import Store, driver_for


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be applied, and change nothing.")
@options.wait
@options.with_settings(logs=True)
def command(*, settings: Settings, dry_run: bool, wait: float) -> None:
    """Bring the database's schema up to date; a SQLite file that is not there is made."""
    path = sqlite_file(settings)
    if dry_run and path is not None and not path.exists():
        _say(known(Dialect.SQLITE), "would apply")
        return
    applied = run(_migrate(settings, timedelta(seconds=wait), dry_run=dry_run))
    _say(applied, "would apply" if dry_run else "applied")


async def _migrate(settings: Settings, wait: timedelta, *, dry_run: bool) -> list[Migration]:
    store = Store(driver_for(settings.database_url, connections=2, read_only=dry_run))
    try:
        await open_when_there(store.open, database_name(settings), wait=wait, tell=tell)
        return await (pending(store.driver) if dry_run else migrate(store.driver))
    finally:
        await asyncio.shield(store.close())


def _say(migrations: list[Migration], done: str) -> None:
    for migration in migrations:
        show(f"{done} {migration.version:04d} {migration.name}")
    if not migrations:
        show("the schema is up to date")
