"""The databases that the tests run on, one fresh and empty database for each test.

`BATCHANATOR_TEST_DATABASES=sqlite,postgres18` narrows them; `pgbouncer`, PostgreSQL 18 behind one, runs when it is
named. A database that does not start is an error. SQL Server is one of them where
`BATCHANATOR_TEST_SQLSERVER` names a server; without it, that is said below the tests.
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.pgbouncer import PROGRAM, PgBouncer
from tests.postgres import PostgresServer
from tests.sqlserver import VARIABLE, SqlServer
from tests.support.canaries import sung

DATABASES = ("sqlite", "postgres16", "postgres18", *(("sqlserver",) if os.environ.get(VARIABLE) else ()))
NAMED_ONLY = ("pgbouncer",)

# Which database a test needs that asks for one by name.
_NEEDS = {
    "sqlite_url": "sqlite",
    "postgres16": "postgres16",
    "postgres18": "postgres18",
    "postgres_url": "postgres18",
    "pooled_url": "postgres18",
    "sqlserver": "sqlserver",
}


def _chosen() -> tuple[str, ...]:
    named = os.environ.get("BATCHANATOR_TEST_DATABASES", "")
    chosen = tuple(name.strip() for name in named.split(",") if name.strip()) or DATABASES
    known = DATABASES + NAMED_ONLY
    unknown = sorted(set(chosen) - set(known))
    if unknown:
        raise pytest.UsageError(f"BATCHANATOR_TEST_DATABASES: unknown {unknown}, known are {known}.")
    return tuple(name for name in known if name in chosen)


CHOSEN = _chosen()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    def is_left_out(item: pytest.Item) -> bool:
        names = getattr(item, "fixturenames", ())
        return any(need in names and database not in CHOSEN for need, database in _NEEDS.items())

    left_out = [item for item in items if is_left_out(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not is_left_out(item)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    left_out = [name for name in DATABASES if name not in CHOSEN]
    if left_out:
        terminalreporter.write_line(
            f"NOT TESTED: {', '.join(left_out)} (BATCHANATOR_TEST_DATABASES leaves them out)",
            yellow=True,
            bold=True,
        )
    if PROGRAM is None:
        terminalreporter.write_line("NOT TESTED: PgBouncer (none on PATH)", yellow=True, bold=True)
    url = os.environ.get(VARIABLE)
    if url is None:
        terminalreporter.write_line(f"NOT TESTED: SQL Server ({VARIABLE} names none)", yellow=True, bold=True)
    elif "sqlserver" in CHOSEN:
        server = SqlServer(url)
        what = "NOT TESTED: SQL Server, but what speaks its protocol" if server.emulated else "SQL Server"
        terminalreporter.write_line(f"{what}: {server.version}", yellow=server.emulated, bold=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that let a canary out into what it printed or logged; those that read it check it themselves."""
    report = yield
    if report.when == "teardown" and report.passed:
        heard = {(kind, canary) for _, kind, text in item._report_sections for canary in sung(text)}
        if heard:
            report.outcome = "failed"
            report.longrepr = f"secrets in the captured output of this test: {sorted(heard)}"
    return report


@pytest.fixture(scope="session")
def postgres16() -> Iterator[PostgresServer]:
    with PostgresServer(16, in_memory=True) as server:
        yield server


@pytest.fixture(scope="session")
def postgres18() -> Iterator[PostgresServer]:
    with PostgresServer(18, in_memory=True) as server:
        yield server


@pytest.fixture(scope="session")
def pgbouncer(postgres18: PostgresServer) -> Iterator[PgBouncer]:
    if PROGRAM is None:
        pytest.skip("no pgbouncer is on PATH")
    with PgBouncer(postgres18) as pooler:
        yield pooler


@pytest.fixture
def pooled_url(pgbouncer: PgBouncer) -> Iterator[str]:
    yield from _database_of(pgbouncer)


@pytest.fixture(scope="session")
def sqlserver() -> Iterator[SqlServer]:
    server = SqlServer(os.environ[VARIABLE])
    yield server
    if server.emptied is not None:
        server.drop_database(server.emptied)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{(tmp_path / 'batchanator.db').as_posix()}"


@pytest.fixture
def postgres_url(postgres18: PostgresServer) -> Iterator[str]:
    yield from _database_of(postgres18)


@pytest.fixture(params=CHOSEN)
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of a fresh, empty database, once on each database that we support."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
    else:
        yield from _database_of(request.getfixturevalue(request.param))


def _database_of(server: PostgresServer | PgBouncer | SqlServer) -> Iterator[str]:
    if isinstance(server, SqlServer):
        url = server.create_database()
        yield url
        server.drop_database(url)
        return
    server.start()  # a test before this one may have left it stopped
    url = server.create_database()
    yield url
    server.start()
    server.drop_database(url)
