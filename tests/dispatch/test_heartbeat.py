"""A heartbeat that is stopped before its thread has got anywhere ends, too."""

import asyncio
import threading
from datetime import timedelta

from batchanator.dispatch.heartbeat import Heartbeat
from batchanator.store.store import Store, driver_for

STARTS = 20


async def test_a_heartbeat_that_is_stopped_at_once_leaves_no_thread(database_url: str) -> None:
    def open_store() -> Store:
        return Store(driver_for(database_url))

    def tell(_incarnation: str) -> None:
        raise AssertionError("nothing was watched")

    minute = timedelta(minutes=1)
    for _ in range(STARTS):
        heartbeat = Heartbeat(open_store, lease=minute, interval=minute, lost=tell, beaten=tell)
        heartbeat.start()
        async with asyncio.timeout(5):
            await heartbeat.stop()
    assert not [one for one in threading.enumerate() if one.name == "heartbeat"]
