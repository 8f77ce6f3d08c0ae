"""The answer to a trigger: 202 with the new job."""

from typing import Any

from aiohttp import web

from batchanator.api.answers import answer
from batchanator.domain.errors import StoreError
from batchanator.domain.submission import Submitted
from batchanator.store.store import Store


async def accepted(
    request: web.Request, store: Store, job: Submitted, *, counts: bool = False
) -> web.Response:
    body: dict[str, Any] = {"jobId": job.job_id, "jobType": request.match_info["jobType"]}
    body |= await _state(store, job.job_id, counts=counts)
    headers = {"Location": f"/jobs/{job.job_id}"}
    if job.replayed:
        headers["Idempotency-Replayed"] = "true"
    return answer(body, status=202, headers=headers)


async def _state(store: Store, job_id: int, *, counts: bool) -> dict[str, Any]:
    """Return what is known of a job that is committed: failing to read it now is no reason to say it failed."""
    try:
        row = await store.jobs.get(job_id)
    except StoreError:
        row = None
    if row is None:
        return {"status": "pending"}
    named = ("accepted", "duplicates", "rejected") if counts else ()
    return {"status": row["status"], **{name: row[name] for name in named}}
