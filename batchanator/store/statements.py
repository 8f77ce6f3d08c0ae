"""SQL files and how they become statements: `load("slices/claim")` reads `sql/queries/slices/claim….sql`.

A statement is one portable file (`claim.sql`) or three, one per database (`claim.postgres.sql`, `claim.sqlite.sql`,
`claim.sqlserver.sql`). Parameters are `:name`; a list is one parameter of named tuples, of which a file takes its
columns (`:slices.fence`, arrays) or the whole as JSON text (`:slices`). A line `-- then` parts the steps of a sequence,
which runs in one transaction (on SQL Server, as one batch) and returns the rows of its last step.

What a portable file says is spelt as each database has it: SQLite is given a function `clock_timestamp`, for SQL Server
the few words of `_SPELT` are replaced here, so that no file exists twice for the sake of `LIMIT`.
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
    SQLSERVER = "sqlserver"


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A statement in one dialect: its steps with `$n`, `:name` or `@name`, and the parameters in their order."""

    steps: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    writes: bool


@dataclass(frozen=True, slots=True)
class Statement:
    name: str
    postgres: Text
    sqlite: Text
    sqlserver: Text


_TOKEN = re.compile(
    r"""--[^\n]*                 # a comment
      | '(?:[^']|'')*'           # a string
      | ::                       # a cast
      | :([a-z_]+)(?:\.([a-z_]+))?
    """,
    re.VERBOSE,
)
# T-SQL's words for those of portable files. Whatever else it refuses makes a statement three files.
_SPELT = re.compile(
    r"""(--[^\n]*|'(?:[^']|'')*')                 # comments and strings stay as they are
      | \b(?P<clock>clock_timestamp\(\))
      | \bLIMIT\ (?P<limit>:[a-z_]+|\d+)          # behind an ORDER BY, which T-SQL requires
      | (?P<hint>\bAS\ MATERIALIZED\ \()
      | (?<![:\w])(?P<reserved>open|key)\b(?!\s*\()  # columns of ours whose names are its keywords
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
        return {Dialect.POSTGRES: f"${number}", Dialect.SQLITE: f":{name}", Dialect.SQLSERVER: f"@{name}"}[
            dialect
        ]

    steps = tuple(_TOKEN.sub(mark, step).strip() for step in _THEN.split(source))
    return Text(steps, tuple(order), any(_WRITES.search(_COMMENT.sub("", step)) for step in steps))


def spelt_for_sqlserver(source: str) -> str:
    """Return a portable statement in T-SQL's spelling."""

    def spell(match: re.Match[str]) -> str:
        match match.lastgroup:
            case "clock":
                return "SYSUTCDATETIME()"
            case "limit":
                return f"OFFSET 0 ROWS FETCH NEXT {match['limit']} ROWS ONLY"
            case "hint":
                return "AS ("
            case "reserved":
                return f"[{match['reserved']}]"
            case _:
                return match.group(0)

    return _SPELT.sub(spell, source)


@cache
def load(name: str) -> Statement:
    """Return the statement of that name; fails at import where a dialect is missing or parameters differ."""
    base = sql_root() / "queries" / name
    portable = base.with_suffix(".sql")
    if portable.exists():
        source = portable.read_text("utf-8")
        spelt = {Dialect.SQLSERVER: spelt_for_sqlserver(source)}
        texts = {dialect: compile_text(spelt.get(dialect, source), dialect) for dialect in Dialect}
    else:
        texts = {
            dialect: compile_text(base.with_suffix(f".{dialect}.sql").read_text("utf-8"), dialect)
            for dialect in Dialect
        }
    names = {dialect: {parameter.name for parameter in text.parameters} for dialect, text in texts.items()}
    differ = set[str]().union(*names.values()) - names[Dialect.POSTGRES].intersection(*names.values())
    if differ:
        raise RuntimeError(f"sql/queries/{name}: parameters differ between dialects: {sorted(differ)}")
    if len(texts[Dialect.POSTGRES].steps) != 1:
        raise RuntimeError(f"sql/queries/{name}: PostgreSQL takes one statement")
    return Statement(name, texts[Dialect.POSTGRES], texts[Dialect.SQLITE], texts[Dialect.SQLSERVER])
