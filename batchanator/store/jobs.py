from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from batchanator.store.driver import Row, Session, fetch_one
from batchanator.store.parameters import changed
from batchanator.store.records import Checkpoint, Limits, Terms
from batchanator.store.statements import load

_CREATE = load("jobs/create")
_BY_REQUEST = load("jobs/by_request")
_TO_INGEST = load("jobs/to_ingest")
_LIVE_OF_FILES = load("jobs/live_of_files")
_TAKE_INGESTION = load("jobs/take_ingestion")
_LEAVE_INGESTION = load("jobs/leave_ingestion")
_STALE = load("jobs/stale")
_CHECKPOINT = load("jobs/checkpoint")
_SEAL = load("jobs/seal")
_STOP = load("jobs/stop")
_FREE_ITEMS = load("jobs/free_items")
_PAUSE = load("jobs/pause")
_RESUME = load("jobs/resume")
_RUNNABLE = load("jobs/runnable")
_LOCK_LIMITED = load("jobs/lock_limited")
_ROOMS = load("jobs/rooms")
_TERMS = load("jobs/terms")
_DRAW = load("jobs/draw")
_SET_LIMITS = load("jobs/set_limits")
_BROKEN_UPLOADS = load("jobs/broken_uploads")
_REMEMBER = load("jobs/remember_request")
_INGESTING = load("jobs/ingesting")
_LIVE = load("jobs/live")
_GET = load("jobs/get")
_TYPE_OF = load("jobs/type_of")
_LINE = load("jobs/line")
_LIVE_BY_TYPE = load("jobs/live_by_type")
_LISTS = {  # by whether a status and a type are asked for: each has an index of its own
    (False, False): load("jobs/list"),
    (True, False): load("jobs/list_by_status"),
    (False, True): load("jobs/list_by_type"),
    (True, True): load("jobs/list_by_type_and_status"),
}
_ENDED_COUNTS = ("succeeded", "skipped", "dead", "cancelled", "retrying", "processing")
_REOPEN = load("jobs/reopen")
_LOSSES = load("jobs/losses")
_ENDED = load("events/append_ended")


class Jobs:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def create(self, **columns: Any) -> int:
        """Insert a job of some source (columns of jobs/create.sql) and return its id."""
        return int((await self._session.fetch(_CREATE, **columns))[0]["id"])

    async def by_request(self, request_key: str) -> Row | None:
        return await fetch_one(self._session, _BY_REQUEST, request_key=request_key)

    async def live_of_files(self, *, job_type: str) -> Sequence[Row]:
        """Return a type's live jobs that came from files, the oldest first; `source` tells from which."""
        return await self._session.fetch(_LIVE_OF_FILES, job_type=job_type)

    async def to_ingest(self, *, worker: str, after: int = 0, limit: int = 100) -> Sequence[Row]:
        return await self._session.fetch(_TO_INGEST, worker=worker, after=after, limit=limit)

    async def take_ingestion(self, *, job_id: int, worker: str) -> Row | None:
        return await fetch_one(self._session, _TAKE_INGESTION, job_id=job_id, worker=worker)

    async def leave_ingestion(self, *, job_id: int, ingest_fence: int) -> None:
        await self._session.fetch(_LEAVE_INGESTION, job_id=job_id, ingest_fence=ingest_fence)

    async def stale(self, *, age: timedelta, limit: int = 100) -> Sequence[Row]:
        """Return the id and ingest fence of jobs whose source nobody has read for so long."""
        return await self._session.fetch(_STALE, age=age, limit=limit)

    async def checkpoint(self, *, job_id: int, start: Checkpoint, **counts: Any) -> Row | None:
        """Move the checkpoint; None where another has the fence, or the place is not where this started."""
        return await fetch_one(
            self._session,
            _CHECKPOINT,
            job_id=job_id,
            ingest_fence=start.ingest_fence,
            start=start.byte_offset,
            line=start.line,
            **counts,
        )

    async def seal(self, *, job_id: int, ingest_fence: int) -> Row | None:
        """Seal in the caller's transaction; a job with nothing open ends, with its event."""
        row = await fetch_one(self._session, _SEAL, job_id=job_id, ingest_fence=ingest_fence)
        if row is not None and row["ended_at"] is not None:
            await self._session.fetch(_ENDED, job_id=job_id)
        return row

    async def stop(
        self,
        *,
        job_id: int,
        stopping: str,
        reason: str | None,
        reason_code: str | None,
        ingest_fence: int | None = None,
    ) -> int | None:
        """Stop in the caller's transaction; returns how many open items were free, None where it cannot be stopped."""
        row = await fetch_one(
            self._session,
            _STOP,
            job_id=job_id,
            stopping=stopping,
            reason=reason,
            reason_code=reason_code,
            ingest_fence=ingest_fence,
        )
        if row is None:
            return None
        if row["ended_at"] is not None:
            await self._session.fetch(_ENDED, job_id=job_id)
        return int((await self._session.fetch(_FREE_ITEMS, job_id=job_id))[0]["items"])

    async def pause(self, *, job_id: int) -> bool:
        return bool(await self._session.fetch(_PAUSE, job_id=job_id))

    async def resume(self, *, job_id: int) -> bool:
        return bool(await self._session.fetch(_RESUME, job_id=job_id))

    async def runnable(self, *, types: Sequence[int], limit: int) -> list[int]:
        return [row["id"] for row in await self._session.fetch(_RUNNABLE, types=list(types), limit=limit)]

    async def lock_limited(
        self, *, types: Sequence[int], locked: Sequence[int], limit: int, ahead: timedelta
    ) -> list[int]:
        """Lock runnable jobs under a limit; of limited types only those that are `locked`."""
        rows = await self._session.fetch(
            _LOCK_LIMITED, types=list(types), locked=list(locked), limit=limit, ahead=ahead
        )
        return [row["id"] for row in rows]

    async def rooms(self, jobs: Sequence[int]) -> list[Row]:
        return await self._session.fetch(_ROOMS, jobs=list(jobs))

    async def terms(self, jobs: Collection[int]) -> dict[int, Terms]:
        rows = await self._session.fetch(_TERMS, jobs=list(jobs))
        return {row["id"]: Terms(bool(row["halted"]), Limits.of(row)) for row in rows}

    async def draw(self, job_id: int, *, items: int, credit: timedelta) -> Row | None:
        return await fetch_one(self._session, _DRAW, id=job_id, items=items, credit=credit)

    async def set_limits(self, job_id: int, changes: Mapping[str, object]) -> Row | None:
        """Change priority, max_concurrency or rate, those that are named; None where there is no live job."""
        given = changed(changes, ("priority", "max_concurrency", "rate"))
        return await fetch_one(self._session, _SET_LIMITS, job_id=job_id, **given)

    async def live(self) -> tuple[int, int, int]:
        """Return how many jobs are live, how many of them are under a limit, and how many under a rate."""
        row = (await self._session.fetch(_LIVE))[0]
        return row["jobs"], row["limited"], row["rated"]

    async def broken_uploads(self, *, worker: str, limit: int = 100) -> Sequence[Row]:
        """Return id and ingest_fence of uploads that no other living worker reads."""
        return await self._session.fetch(_BROKEN_UPLOADS, worker=worker, limit=limit)

    async def remember_request(self, *, job_id: int, fingerprint: str | None) -> None:
        """Say what a job's request key stands for; None gives the key back."""
        await self._session.fetch(_REMEMBER, job_id=job_id, request_fingerprint=fingerprint)

    async def ingesting(self) -> list[Row]:
        """Return id and ingest_worker of jobs whose source is being read."""
        return await self._session.fetch(_INGESTING)

    async def get(self, job_id: int) -> Row | None:
        """Return the job with its counts (as the view batch_jobs has them), one snapshot."""
        row = await fetch_one(self._session, _GET, job_id=job_id)
        return None if row is None else _with_pending(row)

    async def type_of(self, job_id: int) -> str | None:
        """Return the name of a job's type; None where there is no such job."""
        row = await fetch_one(self._session, _TYPE_OF, job_id=job_id)
        return None if row is None else str(row["name"])

    async def line(self, *, job_id: int, line: int) -> Row | None:
        """Return what a line came to (an item, a reject or a duplicate) and `read_to`; None: there is no such job."""
        return await fetch_one(self._session, _LINE, job_id=job_id, line=line)

    async def live_by_type(self) -> dict[int, Row]:
        """Return, by job type id, how many `jobs` are live and how many of them are `paused`."""
        return {row["job_type_id"]: row for row in await self._session.fetch(_LIVE_BY_TYPE)}

    async def list(
        self, *, before: int, limit: int, status: str | None, job_type_id: int | None
    ) -> Sequence[Row]:
        """Return jobs, newest first, with ids below `before`."""
        narrowed: dict[str, object] = {}
        if status is not None:
            narrowed["status"] = status
        if job_type_id is not None:
            narrowed["job_type_id"] = job_type_id
        statement = _LISTS[status is not None, job_type_id is not None]
        rows = await self._session.fetch(statement, before=before, limit=limit, **narrowed)
        return [_with_pending(row) for row in rows]

    async def reopen(self, *, job_id: int, **changes: int) -> Row | None:
        return await fetch_one(self._session, _REOPEN, job_id=job_id, **changes)

    async def losses(self, jobs: Sequence[int]) -> set[int]:
        """Return which of these jobs have an item whose key may be taken over."""
        return {row["id"] for row in await self._session.fetch(_LOSSES, jobs=list(jobs))}


def _with_pending(row: Row) -> Row:
    """Return the row with `pending`, the rest: computed here, since in the view each count would be taken twice."""
    return {**row, "pending": row["accepted"] - sum(row[name] for name in _ENDED_COUNTS)}
