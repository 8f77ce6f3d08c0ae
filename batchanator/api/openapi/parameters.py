"""What stands in addresses: path parts and parameters, each described once."""

from typing import Any, Final

from batchanator.api.parameters import DEFAULT_LIMIT, ITEM_STATUSES, JOB_STATUSES, LARGEST, MAX_LIMIT
from batchanator.api.result_lines import FILTERS
from batchanator.api.workers import STATES

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 1000}
_CURSOR: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": LARGEST - 1}
_PAGE: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
_NUMBER: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": LARGEST - 1}

PATH: Final[dict[str, tuple[str, Schema]]] = {
    "id": ("the job's number", _NUMBER),
    "seq": ("a line's number in its job", _NUMBER),
    "jobType": ("the name of a job type", _TEXT),
}
BATCH_ID: Final = ("the batch's id, as 42-3", {"type": "string", "pattern": r"^\d{1,18}-\d{1,9}$"})
WORKER_ID: Final = ("the worker's incarnation", {"type": "string", "minLength": 1, "maxLength": 64})

QUERY: Final[dict[str, tuple[str, Schema]]] = {
    "after": ("the `next` of the page before", _CURSOR),
    "limit": ("how many at most", _PAGE),
    "skip": ("how many to pass over", _CURSOR),
    "take": ("how many at most", _PAGE),
    "status": ("only those in this state", {"enum": list(ITEM_STATUSES)}),
    "jobType": ("only of this job type", _TEXT),
    "jobId": ("only of this job", _NUMBER),
    "errorCode": ("only those with this error code", _TEXT),
    "idempotencyKey": ("the key", {"type": "string", "minLength": 1}),
    "order": ("the order: input", {"enum": ["input"]}),
    "state": ("alive (the default), gone, or all", {"enum": list(STATES)}),
    "jobName": ("what the job is called", {"type": "string", "minLength": 1, "maxLength": 200}),
    "onDuplicate": ("what becomes of a line whose key is taken", {"enum": ["skip", "redrive", "never"]}),
    "strict": ("whether one reject fails the job, with nothing run", {"type": "boolean"}),
    "priority": ("higher first", {"type": "integer", "minimum": -1_000_000, "maximum": 1_000_000}),
    "maxConcurrency": ("items of the job at a time", {"type": "integer", "minimum": 1, "maximum": 10_000}),
    "sliceSize": ("items claimed at once", {"type": "integer", "minimum": 1, "maximum": 10_000}),
}
SPECIAL: Final[dict[str, Schema]] = {
    "GET /jobs status": {"enum": list(JOB_STATUSES)},
    "GET /jobs/{id}/results status": {"enum": list(FILTERS)},
    "GET /jobs/{id}/lapses after": {"type": "string", "pattern": r"^\d{1,18}\.\d{1,9}$"},
    "GET /workers after": _TEXT,
}
"""Where a parameter's values are a route's own."""


def of_path(route: str, name: str) -> dict[str, Any]:
    text, schema = PATH[name]
    if route.startswith(("GET /batches/", "POST /workers/")) and name == "id":
        text, schema = BATCH_ID if "/batches/" in route else WORKER_ID
    return {"name": name, "in": "path", "required": True, "description": text, "schema": schema}


def of_query(route: str, name: str, *, required: bool = False) -> dict[str, Any]:
    text, schema = QUERY[name]
    schema = SPECIAL.get(f"{route} {name}", schema)
    return {"name": name, "in": "query", "required": required, "description": text, "schema": schema}
