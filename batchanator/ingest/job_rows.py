"""The row of a new job, what its writer must know of it, and its seal."""

from typing import Any

import orjson

from batchanator.domain.errors import UnknownJobTypeError
from batchanator.domain.submission import JobOptions, Request
from batchanator.ingest.writer import JobToFill
from batchanator.store.driver import Row
from batchanator.store.store import Repositories


async def kind_of(store: Repositories, name: str) -> Row:
    """Return the job type's row. Raises UnknownJobTypeError."""
    kinds = await store.job_types.list()
    for kind in kinds:
        if kind["name"] == name:
            return kind
    raise UnknownJobTypeError(name, [kind["name"] for kind in kinds])


def columns_of(
    kind: Row,
    options: JobOptions,
    source_kind: str,
    name: str,
    source_name: str,
    source: dict[str, Any],
    request: Request | None,
) -> dict[str, Any]:
    return {
        "job_type_id": kind["id"],
        "name": name,
        "priority": options.priority,
        "max_concurrency": options.max_concurrency,
        "rate": None,
        "options": orjson.dumps(options.as_json()).decode(),
        "source_kind": source_kind,
        "source_name": source_name,
        "source": orjson.dumps(source).decode(),
        "source_size": None,
        "request_key": None if request is None else request.key,
        "request_fingerprint": None if request is None else request.fingerprint,
    }


def to_fill(job_id: int, kind: Row, options: JobOptions) -> JobToFill:
    return JobToFill(
        job_id,
        kind["id"],
        options.slice_size or kind["slice_size"],
        options.strict,
        options.on_duplicate,
    )


async def seal(tx: Repositories, job_id: int, ingest_fence: int, *, strict: bool, rejected: int) -> bool:
    """End ingestion: a strict job with a reject fails with nothing run. False: another has the ingestion."""
    if strict and rejected:
        reason = f"strict: {rejected} {'line was' if rejected == 1 else 'lines were'} rejected"
        stopped = await tx.jobs.stop(
            job_id=job_id,
            stopping="failed",
            reason=reason,
            reason_code="strict_rejects",
            ingest_fence=ingest_fence,
        )
        return stopped is not None
    return await tx.jobs.seal(job_id=job_id, ingest_fence=ingest_fence) is not None
