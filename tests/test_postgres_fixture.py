import asyncio
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from tests.conftest import CHOSEN
from tests.postgres import PostgresServer

VERSIONS = [int(name.removeprefix("postgres")) for name in CHOSEN if name.startswith("postgres")]


@pytest.fixture(scope="module", params=VERSIONS)
def server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    # One of our own: the shared ones are not to be stopped under the feet of other tests.
    with PostgresServer(request.param, in_memory=True) as server:
        yield server


@pytest.fixture
def url(server: PostgresServer) -> Iterator[str]:
    server.start()
    url = server.create_database()
    yield url
    server.start()
    server.drop_database(url)


async def fetchval(url: str, query: str) -> object:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await connection.fetchval(query, timeout=10)
    finally:
        await connection.close()


async def commit_a_row(url: str) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer", timeout=10)
    finally:
        await connection.close()


async def test_the_version_is_the_one_asked_for(server: PostgresServer, url: str):
    assert await fetchval(url, "SELECT current_setting('server_version_num')::int / 10000") == server.version


async def test_a_database_is_utf8_in_the_c_locale_and_durable(url: str):
    assert await fetchval(url, "SELECT getdatabaseencoding()") == "UTF8"
    assert await fetchval(url, "SELECT datcollate FROM pg_database WHERE datname = current_database()") == "C"
    assert await fetchval(url, "SHOW fsync") == "on"
    assert await fetchval(url, "SHOW max_connections") == "200"


async def test_a_restart_keeps_the_data_and_the_address(server: PostgresServer, url: str):
    await commit_a_row(url)
    before = server.pid
    server.restart()
    assert server.pid != before
    assert await fetchval(url, "SELECT answer FROM kept") == 42


async def test_an_immediate_stop_loses_nothing_committed(server: PostgresServer, url: str):
    await commit_a_row(url)
    server.stop("immediate")
    assert not server.running
    server.start()
    assert await fetchval(url, "SELECT answer FROM kept") == 42


async def test_a_killed_server_recovers_what_was_committed(server: PostgresServer, url: str):
    await commit_a_row(url)
    server.kill()
    with pytest.raises(ConnectionRefusedError):
        await fetchval(url, "SELECT 1")
    server.start()
    assert await fetchval(url, "SELECT answer FROM kept") == 42


async def test_a_database_from_a_template_has_its_tables_and_is_its_own(server: PostgresServer):
    original = server.create_database()
    await commit_a_row(original)
    server.register_template("with_a_row", original)
    first, second = (server.create_database(template="with_a_row") for _ in range(2))
    assert await fetchval(first, "DELETE FROM kept RETURNING answer") == 42
    assert await fetchval(second, "SELECT count(*) FROM kept") == 1


async def test_the_cpu_time_counts_backends_that_have_ended(server: PostgresServer, url: str):
    before = server.cpu_seconds()
    await fetchval(url, "SELECT count(*) FROM generate_series(1, 3000000) AS n WHERE sqrt(n) > 1")
    assert server.cpu_seconds() - before > 0.05


def is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.process
def test_a_server_and_its_files_go_with_a_process_that_was_killed():
    script = """
        import time
        from tests.postgres import PostgresServer
        server = PostgresServer()
        server.start()
        print(server.pid, server.data, flush=True)
        time.sleep(600)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    ) as owner:
        assert owner.stdout is not None
        pid, data = owner.stdout.readline().split(maxsplit=1)
        owner.kill()
    directory = Path(data.strip()).parent
    deadline = time.monotonic() + 30
    while (directory.exists() or is_alive(int(pid))) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not directory.exists()
    assert not is_alive(int(pid))


def test_every_test_gets_an_empty_database(database_url: str):
    if database_url.startswith("sqlite:///"):
        assert not Path(database_url.removeprefix("sqlite:///")).exists()
    else:
        tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        assert asyncio.run(fetchval(database_url, tables)) == 0


async def test_the_plain_postgres_url_is_the_newest_version(postgres_url: str):
    assert await fetchval(postgres_url, "SELECT current_setting('server_version_num')::int / 10000") == 18
