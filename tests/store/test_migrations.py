import asyncio

import pytest

from batchanator.domain.errors import SchemaError
from batchanator.store import migrations
from batchanator.store.migrations import Migration, known, migrate, pending
from batchanator.store.statements import Dialect
from batchanator.store.store import Store, driver_for


async def opened(url: str) -> Store:
    store = Store(driver_for(url))
    await store.open()
    return store


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> list[Migration]:
    """Migrations of a test's own, in place of those in sql/migrations."""
    chosen: list[Migration] = []
    monkeypatch.setattr(migrations, "known", lambda _dialect: list(chosen))
    return chosen


async def test_a_fresh_database_gets_every_version_and_a_second_start_finds_nothing(
    database_url: str,
) -> None:
    store = await opened(database_url)
    try:
        assert [one.version for one in await pending(store.driver)] == [
            one.version for one in known(store.dialect)
        ]
        assert [one.version for one in await migrate(store.driver)] == [
            one.version for one in known(store.dialect)
        ]
        assert await migrate(store.driver) == []
        assert await pending(store.driver) == []
    finally:
        await store.close()


async def test_what_is_pending_is_told_without_writing(database_url: str) -> None:
    store = await opened(database_url)
    try:
        await pending(store.driver)
        assert await pending(store.driver) == known(store.dialect)
    finally:
        await store.close()


async def test_starts_at_once_apply_each_version_once(database_url: str) -> None:
    stores = [await opened(database_url) for _ in range(6)]
    try:
        applied = await asyncio.gather(*(migrate(store.driver) for store in stores))
        assert sorted(len(one) for one in applied) == [0] * 5 + [len(known(stores[0].dialect))]
    finally:
        for store in stores:
            await store.close()


async def test_a_version_that_breaks_half_way_leaves_nothing(
    database_url: str, scripts: list[Migration]
) -> None:
    scripts[:] = [Migration(1, "good", "CREATE TABLE one (id INTEGER);")]
    store = await opened(database_url)
    try:
        await migrate(store.driver)
        broken = Migration(2, "broken", "CREATE TABLE two (id INTEGER);\nCREATE TABLE one (id INTEGER);")
        scripts.append(broken)
        with pytest.raises(Exception, match="already exists"):
            await migrate(store.driver)
        assert await pending(store.driver) == [broken]
        scripts[1] = Migration(2, "mended", "CREATE TABLE two (id INTEGER);")
        assert [one.name for one in await migrate(store.driver)] == ["mended"]
    finally:
        await store.close()


async def test_an_edited_migration_is_refused_by_name(database_url: str, scripts: list[Migration]) -> None:
    scripts[:] = [Migration(1, "first", "CREATE TABLE one (id INTEGER);")]
    store = await opened(database_url)
    try:
        await migrate(store.driver)
        scripts[0] = Migration(1, "first", "CREATE TABLE one (id INTEGER, more INTEGER);")
        with pytest.raises(SchemaError, match="0001_first was edited"):
            await migrate(store.driver)
    finally:
        await store.close()


async def test_a_newer_schema_is_refused(database_url: str, scripts: list[Migration]) -> None:
    scripts[:] = [
        Migration(number, f"v{number}", f"CREATE TABLE t{number} (id INTEGER);") for number in (1, 2)
    ]
    store = await opened(database_url)
    try:
        await migrate(store.driver)
        del scripts[1]
        with pytest.raises(SchemaError, match="schema version 2, this program knows 1"):
            await pending(store.driver)
    finally:
        await store.close()


def test_the_files_are_read_once_and_a_list_of_them_is_the_callers_own() -> None:
    first = known(Dialect.SQLITE)
    assert first[0] is known(Dialect.SQLITE)[0]
    first.clear()
    assert known(Dialect.SQLITE)


def test_line_ends_do_not_change_a_checksum() -> None:
    assert Migration(1, "x", "a\r\nb\r\n").checksum == Migration(1, "x", "a\nb\n").checksum


def test_both_dialects_have_the_same_versions_and_names() -> None:
    assert [(one.version, one.name) for one in known(Dialect.SQLITE)] == [
        (one.version, one.name) for one in known(Dialect.POSTGRES)
    ]


async def test_a_script_is_split_at_its_statements_only(sqlite_url: str, scripts: list[Migration]) -> None:
    script = "CREATE TABLE one (x TEXT DEFAULT 'a;b'); -- a; comment\nINSERT INTO one VALUES ('c;\nd');\n"
    scripts[:] = [Migration(1, "strings", script)]
    store = await opened(sqlite_url)
    try:
        assert [one.name for one in await migrate(store.driver)] == ["strings"]
    finally:
        await store.close()
