"""How each check's invariant is broken, and a row that must be found: read from breaks/*.sql."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchanator.store.statements import Dialect
from batchanator.store.store import Repositories, Store
from tests.contract.world import statement

_BLOCK = re.compile(r"^-- (\w+) (\{.*\})\n((?:(?!--).+\n)+)", re.MULTILINE)
_JOB = re.compile(r"\{(\w+)\}")
_CONSTRAINTS = (
    "SELECT conrelid::regclass::text AS name, conname FROM pg_constraint"
    " WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
)


@dataclass(frozen=True)
class Break:
    """`expected` is of the offending row; `only` the one dialect that the fault can be written in."""

    check: str
    sql: str
    job: str | None
    only: str | None
    expected: dict[str, Any]

    def statements(self, jobs: Mapping[str, int]) -> list[str]:
        text = _JOB.sub(lambda match: str(jobs[match[1]]), self.sql)
        return [one for one in text.split(";\n") if one]

    def row(self, jobs: Mapping[str, int]) -> dict[str, Any]:
        return self.expected if self.job is None else {"job_id": jobs[self.job], **self.expected}


def _read() -> list[Break]:
    breaks = []
    for path in sorted((Path(__file__).parent / "breaks").iterdir()):
        for check, header, sql in _BLOCK.findall(path.read_text("utf-8")):
            expected = json.loads(header)
            breaks.append(Break(check, sql, expected.pop("job", None), expected.pop("only", None), expected))
    return breaks


BREAKS = _read()


class _UndoneError(Exception):
    pass


@asynccontextmanager
async def undone(store: Store) -> AsyncIterator[Repositories]:
    """Open a transaction that may write what a CHECK would refuse, and that is rolled back.

    verify must not trust that a constraint is there.
    """
    with suppress(_UndoneError):
        async with store.transaction() as tx:
            if tx.dialect is Dialect.SQLITE:
                await tx.session.fetch(statement("PRAGMA ignore_check_constraints = ON"))
            else:
                for row in await tx.session.fetch(statement(_CONSTRAINTS)):
                    drop = f"ALTER TABLE {row['name']} DROP CONSTRAINT {row['conname']}"
                    await tx.session.fetch(statement(drop))
            yield tx
            raise _UndoneError
