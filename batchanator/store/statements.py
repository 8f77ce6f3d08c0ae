"""SQL files and how they become statements: `load("slices/claim")` reads `sql/queries/slices/claim….sql`.

A statement is one portable file (`claim.sql`) or one file per database (`claim.postgres.sql`, `claim.sqlite.sql`).
Parameters are `:name`; a list is one parameter of named tuples, of which a file takes its columns
(`:slices.fence`, arrays) or the whole as JSON text (`:slices`). A line `-- then` parts the steps of a sequence,
which runs in one transaction with the same parameters and returns the rows of its last step.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path


class Dialect(StrEnum):
    POSTGRES = "postgres"
    SQLITE = "sqlite"


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A statement in one dialect: its steps with `$n` or `:name` marks, and the parameters in the order of `$n`."""

    steps: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    writes: bool


@dataclass(frozen=True, slots=True)
class Statement:
    name: str
    postgres: Text
    sqlite: Text


_TOKEN = re.compile(
    r"""--[^\n]*                 # a comment
      | '(?:[^']|'')*'           # a string
      | ::                       # a cast
      | :([a-z_]+)(?:\.([a-z_]+))?
    """,
    re.VERBOSE,
)
_WRITES = re.compile(r"\b(insert|update|delete|create)\b", re.IGNORECASE)
_THEN = re.compile(r"^-- then\b.*$", re.MULTILINE)
_COMMENT = re.compile(r"--[^\n]*|'(?:[^']|'')*'")


def sql_root() -> Path:
    """Return the folder `sql/`: inside the installed package, or beside it in a checkout."""
    packaged = Path(str(files("batchanator"))) / "sql"
    return packaged if packaged.is_dir() else packaged.parent.parent / "sql"


def compile_text(source: str, dialect: Dialect) -> Text:
    order: dict[Parameter, int] = {}

    def mark(match: re.Match[str]) -> str:
        name, column = match.group(1), match.group(2)
        if name is None:
            return match.group(0)
        number = order.setdefault(Parameter(name, column), len(order) + 1)
        return f"${number}" if dialect is Dialect.POSTGRES else f":{name}"

    steps = tuple(_TOKEN.sub(mark, step).strip() for step in _THEN.split(source))
    return Text(steps, tuple(order), any(_WRITES.search(_COMMENT.sub("", step)) for step in steps))


@cache
def load(name: str) -> Statement:
    """Return the statement of that name; fails at import where a dialect is missing or parameters differ."""
    base = sql_root() / "queries" / name
    portable = base.with_suffix(".sql")
    if portable.exists():
        source = portable.read_text("utf-8")
        texts = {dialect: compile_text(source, dialect) for dialect in Dialect}
    else:
        texts = {
            dialect: compile_text(base.with_suffix(f".{dialect}.sql").read_text("utf-8"), dialect)
            for dialect in Dialect
        }
    names = {dialect: {parameter.name for parameter in text.parameters} for dialect, text in texts.items()}
    if names[Dialect.POSTGRES] != names[Dialect.SQLITE]:
        differ = names[Dialect.POSTGRES] ^ names[Dialect.SQLITE]
        raise RuntimeError(f"sql/queries/{name}: parameters differ between dialects: {sorted(differ)}")
    if len(texts[Dialect.POSTGRES].steps) != 1:
        raise RuntimeError(f"sql/queries/{name}: PostgreSQL takes one statement")
    return Statement(name, texts[Dialect.POSTGRES], texts[Dialect.SQLITE])
