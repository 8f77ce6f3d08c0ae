"""What every test that ran a process asks at its end: does all that can be seen in the database hold?"""

from datetime import timedelta

from batchanator.store.store import Store, driver_for
from batchanator.store.verify import GRACE, verify


async def assert_verified(where: Store | str, *, grace: timedelta = GRACE) -> None:
    """Fail with the offending rows where an invariant is broken; `where` is an open store or a database's URL."""
    if isinstance(where, Store):
        violations = await verify(where, grace=grace)
    else:
        store = Store(driver_for(where, connections=2))
        await store.open()
        try:
            violations = await verify(store, grace=grace)
        finally:
            await store.close()
    assert not violations, "\n".join(f"{one.invariant}: {one.what}\n  {one.rows}" for one in violations)
