"""A job as JSON in the API's own shape, for commands that a program reads."""

import importlib
from typing import Any

from batchanator.store.driver import Row


def job_json(job: Row) -> dict[str, Any]:
    """Return a row of the view batch_jobs as `GET /jobs/{id}` answers it."""
    # Imported here: the HTTP library comes along, and only those who write JSON should wait for it.
    shapes: Any = importlib.import_module("batchanator.api.shapes")
    progress: Any = importlib.import_module("batchanator.api.progress")
    shape: dict[str, Any] = shapes.job(job, progress.Progress().of(job))
    return shape
