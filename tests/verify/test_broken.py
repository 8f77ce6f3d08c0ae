from datetime import timedelta

import pytest

from batchanator.store.verify import CHECKS, verify
from tests.contract.world import World, statement
from tests.verify.breaking import BREAKS, Break, undone
from tests.verify.conftest import Place


def _name(broken: Break) -> str:
    return f"{broken.check}-{[one for one in BREAKS if one.check == broken.check].index(broken)}"


@pytest.mark.parametrize("broken", BREAKS, ids=_name)
async def test_a_broken_invariant_is_caught_by_name_with_the_offending_row(
    filled_world: World, filled_place: Place, broken: Break
) -> None:
    if broken.only not in {None, str(filled_world.store.dialect)}:
        return  # PostgreSQL stores no NUL at all
    async with undone(filled_world.store) as tx:
        for sql in broken.statements(filled_place.jobs):
            await tx.session.fetch(statement(sql), ago=timedelta(days=-1), long="x" * 5000)
        violations = {one.invariant: one for one in await verify(tx)}
        assert broken.check in violations
        expected, rows = broken.row(filled_place.jobs), violations[broken.check].rows
        assert any(expected.items() <= row.items() for row in rows), (expected, rows)


def test_every_check_has_a_test_that_breaks_it() -> None:
    assert {broken.check for broken in BREAKS} == {check.name for check in CHECKS}


async def test_no_more_rows_are_returned_than_asked_for(filled_world: World, filled_place: Place) -> None:
    async with undone(filled_world.store) as tx:
        await tx.session.fetch(statement("UPDATE items SET payload = ''"))
        (kept,) = [one for one in await verify(tx, limit=3) if one.invariant == "payloads_are_kept"]
        done = filled_place.jobs["done"]
        assert [(row["job_id"], row["seq"]) for row in kept.rows] == [(done, 1), (done, 2), (done, 3)]
