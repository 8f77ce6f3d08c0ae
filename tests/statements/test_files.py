"""Statements are files: each is one portable or one a database, parses on every database, and is used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

import batchanator
from batchanator.store.migrations import migrate
from batchanator.store.sqlite_library import dbapi
from batchanator.store.statements import Dialect, load, sql_root
from batchanator.store.store import Store, driver_for, sqlite_path

PACKAGE = Path(batchanator.__file__).parent
QUERIES = sql_root() / "queries"
DRIVERS = {
    "store/sqlite.py",
    "store/sqlite_connections.py",
    "store/sqlite_library.py",
    "store/postgres.py",
    "store/sqlserver.py",
    "store/sqlserver_values.py",
    "store/postgres_listener.py",
    "store/postgres_pool.py",
}
_STATEMENT = re.compile(
    r"^\s*(SELECT\b|INSERT\s+INTO\b|UPDATE\s+\w+\s+SET\b|DELETE\s+FROM\b|WITH\s+\w+\s+AS\b|MERGE\s+INTO\b|"
    r"(CREATE|ALTER|DROP)\s+(TABLE|INDEX|VIEW|TEMP)\b|PRAGMA\b)",
    re.IGNORECASE,
)
_LOAD = re.compile(r'\bload\(\s*"([a-z_/]+)"\s*\)')


def names() -> list[str]:
    return sorted({_name(path) for path in QUERIES.rglob("*.sql")})


def _name(path: Path) -> str:
    return str(path.relative_to(QUERIES).with_name(path.name.split(".")[0]).as_posix())


def files_of(name: str) -> set[str]:
    folder, _, stem = name.rpartition("/")
    return {path.name.removeprefix(stem) for path in (QUERIES / folder).glob(f"{stem}.*")}


@pytest.mark.parametrize("name", names())
def test_a_statement_is_one_portable_file_or_one_a_database(name: str) -> None:
    assert files_of(name) in ({".sql"}, {f".{dialect}.sql" for dialect in Dialect})


@pytest.mark.parametrize("name", names())
def test_a_statement_takes_the_same_parameters_on_every_database(name: str) -> None:
    statement = load(name)
    assert {parameter.name for parameter in statement.postgres.parameters} == {
        parameter.name for parameter in statement.sqlite.parameters
    }
    assert len(statement.postgres.steps) == 1


def test_dialects_of_a_statement_differ() -> None:
    """What is the same on every database is one portable file."""
    same = []
    for name in names():
        texts = {
            _bare((QUERIES / f"{name}.{dialect}.sql").read_text("utf-8"))
            for dialect in Dialect
            if (QUERIES / f"{name}.{dialect}.sql").exists()
        }
        if len(texts) == 1 and len(files_of(name)) > 1:
            same.append(name)
    assert same == []


# What several files say alike, from these words to the words behind (None: to their end): one mended alone is a fault.
PAGES = tuple(
    f"items/page{kind}" for kind in ("", "_by_error", "_by_outcome", "_dead", "_by_status", "_skip")
)
BY_OUTCOME = ("items/page_by_error", "items/page_by_outcome", "items/page_dead")
ALIKE: list[tuple[Dialect, tuple[str, ...], str, str | None]] = [
    (
        Dialect.POSTGRES,
        ("slices/claim", "slices/claim_listed"),
        "  ORDER BY h.priority DESC, rank LIMIT",
        None,
    ),
    (Dialect.SQLITE, ("slices/claim", "slices/claim_listed"), "UPDATE slices SET state = 1", None),
    (Dialect.POSTGRES, PAGES, "SELECT v.seq", "\nFROM ("),
    (Dialect.SQLITE, PAGES, "SELECT v.seq", "\nFROM "),
    (
        Dialect.POSTGRES,
        (*BY_OUTCOME, "items/page", "items/page_skip"),
        "CROSS JOIN LATERAL (SELECT * FROM",
        None,
    ),
    (Dialect.POSTGRES, PAGES, "CROSS JOIN LATERAL (SELECT * FROM", ") k ON true"),
    (Dialect.SQLITE, BY_OUTCOME, "ORDER BY o.seq LIMIT", None),
    (Dialect.SQLITE, PAGES, "LEFT JOIN jobs j", "\nWHERE "),
]


@pytest.mark.parametrize(("dialect", "files", "start", "end"), ALIKE)
def test_what_statements_share_is_the_same_text(
    dialect: Dialect, files: tuple[str, ...], start: str, end: str | None
) -> None:
    shared: dict[str, list[str]] = {}
    for name in files:
        text = (QUERIES / f"{name}.{dialect}.sql").read_text("utf-8")
        assert text.count(start) == 1, name
        part = text[text.index(start) :]
        shared.setdefault(part if end is None else part[: part.index(end)], []).append(name)
    assert len(shared) == 1, list(shared.values())
    assert all(len(part) > 150 for part in shared)


def _bare(text: str) -> str:
    return " ".join(re.sub(r"--[^\n]*", "", text).split())


def test_every_file_is_used_and_every_use_has_its_file() -> None:
    used = {
        name
        for path in PACKAGE.rglob("*.py")
        for name in _LOAD.findall(path.read_text("utf-8"))
        if path.name != "statements.py"
    }
    verify = {name for name in names() if name.startswith("verify/")}  # read as a folder
    assert used - verify == set(names()) - verify


def test_no_statement_stands_in_python_outside_the_drivers() -> None:
    found = [
        f"{path.relative_to(PACKAGE).as_posix()}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).as_posix() not in DRIVERS
        for node in _texts(ast.parse(path.read_text("utf-8")))
        if _STATEMENT.match(str(node.value))
    ]
    assert found == []


def _texts(tree: ast.AST) -> Iterator[ast.Constant]:
    """Yield the string literals of a module, docstrings left out."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node


def test_a_where_that_an_index_should_serve_does_not_ask_the_clock_for_each_row() -> None:
    """The bare volatile function keeps PostgreSQL from using the index on `available_at`."""
    for name in ("slices/promote", "slices/next_due"):
        text = _bare(
            (QUERIES / (name + (".postgres.sql" if name.endswith("promote") else ".sql"))).read_text()
        )
        assert not re.search(r"available_at\s*[<>]=?\s*clock_timestamp", text), name


async def test_every_statement_is_prepared_by_postgresql(postgres_url: str) -> None:
    store = Store(driver_for(postgres_url))
    await store.open()
    await migrate(store.driver)
    connection = await asyncpg.connect(postgres_url)
    try:
        wrong = {}
        for name in names():
            try:
                await connection.prepare(load(name).postgres.steps[0])
            except asyncpg.PostgresError as error:
                wrong[name] = str(error)
        assert wrong == {}
    finally:
        await connection.close()
        await store.close()


async def test_every_statement_is_explained_by_sqlite(sqlite_url: str) -> None:
    store = Store(driver_for(sqlite_url))
    await store.open()
    await migrate(store.driver)
    await store.close()
    connection = dbapi.connect(sqlite_path(sqlite_url))
    connection.create_function("clock_timestamp", 0, lambda: 0)
    wrong = {}
    for name in names():
        text = load(name).sqlite
        nothing = {parameter.name: None for parameter in text.parameters}
        for step in text.steps:
            try:
                connection.execute(step if "CREATE TEMP" in step else f"EXPLAIN {step}", nothing)
            except dbapi.Error as error:
                wrong[name] = f"{error}: {step[:80]}"
    connection.close()
    assert wrong == {}


async def test_a_statement_returns_the_same_columns_on_every_database(
    postgres_url: str, sqlite_url: str
) -> None:
    for url in (postgres_url, sqlite_url):
        store = Store(driver_for(url))
        await store.open()
        await migrate(store.driver)
        await store.close()
    lite = dbapi.connect(sqlite_path(sqlite_url), isolation_level=None)
    lite.create_function("clock_timestamp", 0, lambda: 0)
    connection = await asyncpg.connect(postgres_url)
    differ = {}
    try:
        for name in names():
            prepared = await connection.prepare(load(name).postgres.steps[0])
            columns = [attribute.name for attribute in prepared.get_attributes()]
            found = _columns(lite, name)
            if found is not None and found != columns:
                differ[name] = (columns, found)
    finally:
        await connection.close()
        lite.close()
    assert differ == {}


def _columns(connection, name: str) -> list[str] | None:
    """Return a statement's columns on SQLite, None where it cannot be run without arguments."""
    text = load(name).sqlite
    nothing = {parameter.name: None for parameter in text.parameters}
    connection.execute("BEGIN")
    try:
        cursor = None
        for step in text.steps:
            cursor = connection.execute(step, nothing)
    except dbapi.IntegrityError:
        return None
    else:
        return [column[0] for column in (cursor and cursor.description) or ()]
    finally:
        connection.execute("ROLLBACK")
