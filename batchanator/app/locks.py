"""Where workers on SQLite hold the file locks that say that they live."""

from pathlib import Path

from batchanator.app.opening import sqlite_file
from batchanator.settings import Settings


def lock_folder(settings: Settings) -> Path | None:
    """Return the folder, None where the database is a server."""
    path = sqlite_file(settings)
    if path is None:
        return None
    return Path(f"{path}.locks") if settings.lock_directory is None else Path(settings.lock_directory)
