"""A job as JSON: the shape that the API documents, for commands that a program reads."""

from datetime import UTC, datetime
from typing import Any

from batchanator.app.progress import expected_items, finished
from batchanator.store.driver import Row

_COUNTS = ("pending", "processing", "retrying", "succeeded", "skipped", "dead", "cancelled")


def job_json(job: Row, *, now: datetime | None = None) -> dict[str, Any]:
    """Return a row of the view batch_jobs by the API's names; rates are those of the job's whole life."""
    is_file = job["source_kind"] == "file"
    return {
        "id": job["id"],
        "name": job["name"],
        "jobType": job["job_type"],
        "status": job["status"],
        "statusReason": job["reason"],
        "paused": job["paused_at"] is not None,
        "stopping": job["stopping"] if job["ended_at"] is None else None,
        "round": job["round"],
        "priority": job["priority"],
        "createdAt": instant(job["created_at"]),
        "startedAt": instant(job["started_at"]),
        "sealedAt": instant(job["sealed_at"]),
        "endedAt": instant(job["ended_at"]),
        "counts": {"total": job["accepted"], **{name: job[name] for name in _COUNTS}},
        "source": {
            "kind": job["source_kind"],
            "name": job["source_name"],
            "lines": job["lines"],
            "accepted": job["accepted"],
            "duplicates": job["duplicates"],
            "rejected": job["rejected"],
            "bytesRead": job["source_position"] if is_file else None,
            "bytesTotal": job["source_size"] if is_file else None,
        },
        "batches": {"total": job["batches"], "completed": job["batches_completed"]},
        "progress": _progress(job, now or datetime.now(UTC)),
    }


def instant(at: datetime | None) -> str | None:
    """Write an instant as RFC 3339 in UTC, with microseconds."""
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def _progress(job: Row, now: datetime) -> dict[str, Any]:
    """`percent` is null while the total is unknown, and 100 only at the end."""
    done, ended = finished(job), job["ended_at"]
    began = job["started_at"]
    seconds = ((ended or now) - began).total_seconds() if began else 0.0
    per_second = done / seconds if seconds > 0 else None
    items, percent, eta = expected_items(job), None, None
    if ended is not None:
        percent = 100.0
    elif items and job["sealed_at"] is not None:
        percent = min(round(100 * done / items, 1), 99.9)
        if per_second and job["paused_at"] is None:
            eta = instant(datetime.fromtimestamp(now.timestamp() + (items - done) / per_second, UTC))
    return {
        "percent": percent,
        "itemsPerSecond": None if per_second is None else round(per_second, 1),
        "eta": eta,
    }
