"""Claims of jobs under a limit, and the account of a rate.

A cap counts leased slices, under the lock of the job's row and its type's, so that no two claims count past each other.
A rate is an account: `spent_until`, the instant up to which starts were given out. Whoever runs items, on whichever
worker, takes the next few starts out of it and makes them in the time that these fill; so it holds over all workers.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from time import monotonic

from batchanator.store.driver import Row
from batchanator.store.records import Claimed, Limits, Listed, Window
from batchanator.store.store import Repositories

AHEAD = timedelta(milliseconds=250)
"""A slice is claimed at most so long before its first item may start."""
CREDIT = timedelta(milliseconds=250)
"""What of a rate was not used is made up for at most so long."""
DRAW_SECONDS = 0.5


async def claim_limited(
    tx: Repositories, *, worker: str, types: Sequence[int], limit: int, listed: Sequence[Listed] = ()
) -> list[Claimed]:
    """Take ready slices of jobs under a limit, beside those of `listed`, which are under none, in one order.

    Locks types by id, then jobs; what is locked by another claim is left to it.
    Of a job with a rate one slice is taken at a time.
    """
    locked = await tx.job_types.lock_limited(types=types, ahead=AHEAD)
    jobs = await tx.jobs.lock_limited(types=types, locked=locked, limit=limit, ahead=AHEAD)
    rooms = {row["id"]: row for row in await tx.jobs.rooms(jobs)} if jobs else {}
    given = [*listed, *_allotted((rooms[job] for job in jobs), limit)]
    taken = await tx.slices.claim_listed(worker=worker, types=types, limit=limit, jobs=given) if given else []
    return [await _with_window(tx, one) for one in taken]


def _allotted(rooms: Iterable[Row], limit: int) -> Iterable[Listed]:
    """Share the room of a type among its jobs, in their order."""
    left: dict[int, int] = {}
    for row in rooms:
        kind = row["job_type_id"]
        most = left.setdefault(kind, limit if row["type_room"] is None else row["type_room"])
        room = min(most, limit if row["room"] is None else row["room"], 1 if row["rated"] else limit)
        if room > 0:
            yield Listed(row["id"], 0, room)
            if row["type_room"] is not None:
                left[kind] -= room


async def _with_window(tx: Repositories, claimed: Claimed) -> Claimed:
    if not claimed.seqs or (claimed.limits.rate is None and claimed.limits.type_rate is None):
        return claimed
    items = starts_of(claimed.limits, len(claimed.seqs))
    return claimed._replace(window=await draw(tx, claimed, items=items))


def starts_of(limits: Limits, left: int) -> int:
    """Return how many starts to take at once: those of half a second, or the next one."""
    rates = [rate for rate in (limits.rate, limits.type_rate) if rate is not None]
    return max(1, min(left, int(min(rates) * DRAW_SECONDS))) if rates else left


async def draw(tx: Repositories, claimed: Claimed, *, items: int) -> Window | None:
    """Take starts out of the accounts of a job and its type, in the caller's transaction; None where no rate holds."""
    rows = []
    if claimed.limits.type_rate is not None:
        rows.append(await tx.job_types.draw(claimed.job_type_id, items=items, credit=CREDIT))
    if claimed.limits.rate is not None:
        rows.append(await tx.jobs.draw(claimed.job_id, items=items, credit=CREDIT))
    windows = [
        ((row["spent_until"] - row["now_at"]).total_seconds() - items / row["rate"], row["rate"])
        for row in rows
        if row is not None
    ]
    if not windows:
        return None
    begins = monotonic() + max(start for start, _ in windows)
    return Window(begins, min(rate for _, rate in windows), items)
