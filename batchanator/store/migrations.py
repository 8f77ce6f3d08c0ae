"""The migration runner: forward only, each version applied and recorded in one transaction with its checksum.

Safe when many processes start at once: one of them holds the lock, the others wait and then find nothing to do.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cache

from batchanator.domain.errors import SchemaError
from batchanator.store.driver import Driver, Session
from batchanator.store.statements import Dialect, load, sql_root

_CREATE = load("schema_migrations/create")
_EXISTS = load("schema_migrations/exists")
_LIST = load("schema_migrations/list")
_RECORD = load("schema_migrations/record")
_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.([a-z]+)\.sql")
LOCK = "batchanator migrations"


@dataclass(frozen=True, slots=True)
class Migration:
    version: int
    name: str
    script: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.script.replace("\r\n", "\n").encode()).hexdigest()


def known(dialect: Dialect) -> list[Migration]:
    """Return the dialect's migrations in order; versions are contiguous from 1."""
    return list(_files(dialect))


@cache
def _files(dialect: Dialect) -> tuple[Migration, ...]:
    """Read them once: every look at the readiness asks for them."""
    found = []
    for path in sorted((sql_root() / "migrations").iterdir()):
        match = _FILE.fullmatch(path.name)
        if match and match.group(3) == dialect:
            found.append(Migration(int(match.group(1)), match.group(2), path.read_text("utf-8")))
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise SchemaError(f"the {dialect} migrations are not numbered 1, 2, 3 …")
    return tuple(found)


async def pending(driver: Driver) -> list[Migration]:
    """Return what `migrate` would apply; SchemaError where the schema is edited or newer. Writes nothing."""
    if not await driver.fetch(_EXISTS):
        return known(driver.dialect)
    return await _missing(driver, driver.dialect)


async def migrate(driver: Driver) -> list[Migration]:
    """Apply what is missing, one transaction a version, and return it."""
    if await driver.fetch(_EXISTS) and not await _missing(driver, driver.dialect):
        return []
    applied: list[Migration] = []
    while True:
        async with driver.exclusive(LOCK) as session:
            await session.fetch(_CREATE)
            missing = await _missing(session, driver.dialect)
            if not missing:
                return applied
            first = missing[0]
            await driver.run_script(first.script, session)
            await session.fetch(_RECORD, version=first.version, name=first.name, checksum=first.checksum)
        applied.append(first)


async def _missing(session: Session, dialect: Dialect) -> list[Migration]:
    ours = {migration.version: migration for migration in known(dialect)}
    there = {row["version"]: row for row in await session.fetch(_LIST)}
    newer = sorted(there.keys() - ours.keys())
    if newer:
        raise SchemaError(
            f"the database has schema version {newer[-1]}, this program knows {max(ours)}: run a newer Batchanator"
        )
    for version, row in there.items():
        if row["checksum"] != ours[version].checksum:
            raise SchemaError(
                f"migration {version:04d}_{row['name']} was edited after it was applied: its checksum differs"
            )
    return [migration for version, migration in ours.items() if version not in there]
