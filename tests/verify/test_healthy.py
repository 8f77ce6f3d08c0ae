from datetime import timedelta

from batchanator.store.statements import sql_root
from batchanator.store.verify import CHECKS, verify
from tests.contract.world import World
from tests.support.checking import assert_verified
from tests.verify.conftest import Place


async def test_a_database_with_every_kind_of_state_is_clean(filled_world: World, filled_place: Place) -> None:
    statuses = {name: await filled_world.status(job) for name, job in filled_place.jobs.items()}
    assert set(statuses.values()) >= {"completed", "partially_completed", "processing", "ingesting"}
    items = await filled_world.fetch("SELECT DISTINCT status FROM batch_items")
    assert {row["status"] for row in items} == {
        "pending", "processing", "retrying", "succeeded", "skipped", "dead", "cancelled"
    }  # fmt: skip
    slices = await filled_world.fetch("SELECT DISTINCT state FROM slices")
    assert {row["state"] for row in slices} == {0, 1, 2, 3}
    await assert_verified(filled_world.store)


async def test_an_empty_database_is_clean(database_url: str) -> None:
    world = await World.begin(database_url)
    await world.end()
    await assert_verified(database_url)


async def test_what_a_dead_worker_holds_is_no_fault_while_nobody_lives_to_free_it(database_url: str) -> None:
    world = await World.begin(database_url)
    worker = await world.worker()
    await world.job(3)
    await world.claim(worker)
    await world.die(worker)
    await world.fetch(
        "UPDATE workers SET lease_until = lease_until + :ago RETURNING 1 AS x", ago=timedelta(-1)
    )
    assert await verify(world.store) == []
    await world.end()


def test_every_statement_is_a_check_and_says_what_must_hold() -> None:
    files = {path.name.split(".")[0] for path in (sql_root() / "queries" / "verify").iterdir()}
    assert sorted(check.name for check in CHECKS) == sorted(files)
    for check in CHECKS:
        number, _, sentence = check.what.partition(": ")
        assert number[0] == "I", check.what
        assert 1 <= int(number[1:]) <= 30, check.what
        assert sentence.endswith("."), check.what
