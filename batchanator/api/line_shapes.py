"""From rows of lines that are no items to JSON: rejects, duplicates, and what became of any one line."""

import base64
from typing import Any

from batchanator.api.shapes import replaced_by
from batchanator.store.driver import Row
from batchanator.store.records import ItemId


def reject(row: Row) -> dict[str, Any]:
    """`raw` is text where it is UTF-8, else base64, as `rawEncoding` says."""
    text, encoding = _readable(bytes(row["raw"]), was_cut=bool(row["raw_cut"]))
    return {
        "line": row["line"],
        "byteOffset": row["byte_offset"],
        "code": row["code"],
        "pointer": row["pointer"],
        "message": row["message"],
        "raw": text,
        "rawEncoding": encoding,
        "rawCut": bool(row["raw_cut"]),
    }


def _readable(raw: bytes, *, was_cut: bool) -> tuple[str, str]:
    try:
        return raw.decode(), "utf-8"
    except UnicodeDecodeError as error:
        if was_cut and len(raw) - error.start < 4 and error.reason == "unexpected end of data":
            return raw[: error.start].decode(), "utf-8"  # the cut went through a character
    return base64.b64encode(raw).decode(), "base64"


def duplicate(line: int, kind: str, holder: ItemId, key: str | None) -> dict[str, Any]:
    return {
        "line": line,
        "kind": kind,
        "idempotencyKey": key,
        "holder": {"jobId": holder.job_id, "seq": holder.seq},
    }


def rejected_line(job_id: int, row: Row) -> dict[str, Any]:
    """Return what became of a rejected line, with the members that an item has."""
    return {**_no_item(job_id, row["line"], "rejected", None), "reject": reject(row)}


def duplicate_line(job_id: int, line: int, kind: str, holder: ItemId, item: Row | None) -> dict[str, Any]:
    """Return what became of a duplicate, with the members that an item has; `item` is the holder, None if pruned."""
    held = {
        "jobId": holder.job_id,
        "seq": holder.seq,
        "status": None if item is None else item["status"],
        "replacedBy": None if item is None else replaced_by(item),
    }
    key = None if item is None else item["idempotency_key"]
    return {
        **_no_item(job_id, line, "duplicate", key),
        "duplicate": {"kind": kind, "holder": held},
    }


def _no_item(job_id: int, line: int, status: str, key: str | None) -> dict[str, Any]:
    nothing = dict.fromkeys(
        (
            "sourceRowId",
            "reason",
            "errorCode",
            "lastError",
            "lockedBy",
            "lockedUntil",
            "nextAttemptAt",
            "createdAt",
            "updatedAt",
            "result",
            "skipReason",
            "replacedBy",
            "batchId",
            "maxAttempts",
            "purgedAt",
            "payload",
            "duplicate",
            "reject",
        )
    )
    return {
        "id": f"{job_id}:{line}",
        "jobId": job_id,
        "seq": line,
        "idempotencyKey": key,
        "status": status,
        "attempts": 0,
        **nothing,
        "attemptsLog": [],
        "lapses": [],
    }
