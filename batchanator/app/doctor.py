"""Asks the database what an operator asks at night, and has the answers judged."""

from datetime import UTC, datetime, timedelta

from batchanator.app.locks import lock_folder
from batchanator.dispatch.alive import AliveLocks
from batchanator.domain.diagnosis import configuration, database, work
from batchanator.domain.diagnosis.finding import Finding
from batchanator.settings import Settings
from batchanator.store.statements import Dialect
from batchanator.store.store import Store

OLD_TRANSACTION = timedelta(minutes=5)
MOST_WORKERS = 1000
_ROOM = timedelta(seconds=10)


async def examine(store: Store, settings: Settings) -> list[Finding]:
    """Return a finding for everything that was looked at, in the order of their weight."""
    doctor = store.doctor
    living = await store.workers.page(after="", limit=MOST_WORKERS, state="alive")
    dead = AliveLocks(lock_folder(settings)).dead(row["incarnation"] for row in living)
    living = [
        row for row in living if row["incarnation"] not in dead
    ]  # their lease runs, their process is gone
    before = datetime.now(UTC)
    waiting = await doctor.waiting()
    now = waiting["now_at"]
    skew = now - (before + (datetime.now(UTC) - before) / 2)
    hosts = {row["host"] for row in living}
    return [
        work.workers(living),
        work.ready(await doctor.ready(), living),
        work.waiting(waiting),
        work.lapsed(await doctor.lapsed(), grace=settings.heartbeat + settings.poll + _ROOM),
        work.suspects(await doctor.suspects()),
        work.ingestions(await doctor.ingestions()),
        work.stopping(await doctor.stopping(), living),
        database.clocks(skew, living, now),
        *database.server(await doctor.server()),
        database.pinning(await doctor.pinning(age=OLD_TRANSACTION)),
        database.tables(await doctor.tables()),
        *configuration.settings(
            lease=settings.lease,
            poll=settings.poll,
            grace=settings.shutdown_grace,
            is_open=settings.allow_anonymous and not settings.loopback,
            shared_file=store.dialect is Dialect.SQLITE and len(hosts) > 1,
        ),
    ]
