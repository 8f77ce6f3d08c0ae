"""From rows of the store to the JSON that api.md and docs/http.md describe."""

from collections.abc import Sequence
from typing import Any

from batchanator.api.answers import raw_json
from batchanator.domain.reasons import status_reason
from batchanator.store.driver import Row

_COUNTS = ("pending", "processing", "retrying", "succeeded", "skipped", "dead", "cancelled")


def job(row: Row, progress: dict[str, Any]) -> dict[str, Any]:
    has_bytes, reason = row["source_kind"] in {"file", "upload"}, status_reason(row)
    return {
        "id": row["id"],
        "name": row["name"],
        "jobType": row["job_type"],
        "status": row["status"],
        "statusReason": None if reason is None else reason.text,
        "statusReasonCode": None if reason is None else reason.code,
        "paused": row["paused_at"] is not None,
        "stopping": row["stopping"] if row["ended_at"] is None else None,
        "round": row["round"],
        "priority": row["priority"],
        "maxConcurrency": row["max_concurrency"],
        "ratePerSecond": row["rate"],
        "createdAt": row["created_at"],
        "startedAt": row["started_at"],
        "sealedAt": row["sealed_at"],
        "endedAt": row["ended_at"],
        "counts": {"total": row["accepted"], **{name: int(row[name]) for name in _COUNTS}},
        "source": {
            "kind": row["source_kind"],
            "name": row["source_name"],
            "lines": row["lines"],
            "accepted": row["accepted"],
            "duplicates": row["duplicates"],
            "rejected": row["rejected"],
            "bytesRead": row["source_position"] if has_bytes else None,
            "bytesTotal": row["source_size"] if has_bytes else None,
        },
        "batches": {"total": row["batches"], "completed": row["batches_completed"]},
        "progress": progress,
    }


def batch(job_id: int, row: Row) -> dict[str, Any]:
    final = {name: int(row[name]) for name in ("succeeded", "skipped", "dead", "cancelled")}
    open_now = {name: int(row[name]) for name in ("processing", "retrying")}
    pending = row["total"] - sum(final.values()) - sum(open_now.values())
    counts = {"total": row["total"], "pending": pending, **open_now, **final}
    return {
        "id": f"{job_id}-{row['number']}",
        "number": row["number"],
        "status": _batch_status(counts, ended=row["completed_at"] is not None),
        "counts": counts,
        "createdAt": row["created_at"],
        "completedAt": row["completed_at"],
    }


def _batch_status(counts: dict[str, int], *, ended: bool) -> str:
    """Return a batch's status by the rule for jobs; only a stop cancels items."""
    if not ended:
        return "pending" if counts["pending"] == counts["total"] else "processing"
    if counts["cancelled"]:
        return "cancelled"
    if not counts["dead"]:
        return "completed"
    return "partially_completed" if counts["succeeded"] + counts["skipped"] else "failed"


def item(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "seq": row["seq"],
        "sourceRowId": row["source_row_id"],
        "idempotencyKey": row["idempotency_key"],
        "status": row["status"],
        "reason": row["reason"],
        "attempts": row["attempts"],
        "errorCode": row["error_code"],
        "lastError": row["last_error"],
        "lockedBy": row["locked_by"],
        "lockedUntil": row["locked_until"],
        "nextAttemptAt": row["next_attempt_at"],
        "createdAt": row["created_at"],
        "updatedAt": row["finished_at"] or row["created_at"],
        "result": raw_json(row["result"]),
        "skipReason": row["skip_reason"],
        "replacedBy": replaced_by(row),
    }


def replaced_by(row: Row) -> dict[str, Any] | None:
    """Return the item that holds the key now, where that is another."""
    by = row["replaced_by_job_id"]
    return None if by is None else {"jobId": by, "seq": row["replaced_by_seq"]}


def one_item(row: Row, attempts: Sequence[Row], lapses: Sequence[Row]) -> dict[str, Any]:
    return {
        **item(row),
        "jobId": row["job_id"],
        "batchId": row["batch_id"],
        "maxAttempts": row["max_attempts"],
        "purgedAt": row["purged_at"],
        "payload": raw_json(row["payload"]),
        "attemptsLog": [attempt(one) for one in attempts],
        "lapses": [item_lapse(one) for one in lapses],
        "duplicate": None,
        "reject": None,
    }


def attempt(row: Row) -> dict[str, Any]:
    return {
        "attempt": row["attempt"],
        "worker": row["worker"],
        "fence": row["fence"],
        "startedAt": row["started_at"],
        "endedAt": row["ended_at"],
        "code": row["code"],
        "error": row["error"],
    }


def item_lapse(row: Row) -> dict[str, Any]:
    return {
        "fence": row["fence"],
        "worker": row["worker"],
        "kind": row["kind"],
        "claimedAt": row["claimed_at"],
        "lapsedAt": row["lapsed_at"],
        "charged": bool(row["charged"]),
    }


def lapse(row: Row) -> dict[str, Any]:
    return {
        "firstSeq": row["first_seq"],
        "lastSeq": row["last_seq"],
        "runningSeq": row["running_seq"],
        **item_lapse(row),
    }
