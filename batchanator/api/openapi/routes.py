"""Every route with what it takes and answers, by the addresses of `batchanator.api.access.ROLES`."""

from dataclasses import dataclass
from typing import Final

from batchanator.api import requests
from batchanator.api.openapi import items, jobs, operating

PAGE: Final = ("after", "limit")
UPLOAD: Final = ("jobName", "onDuplicate", "strict", "priority", "maxConcurrency", "sliceSize")
NDJSON: Final = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Route:
    """`answers` has a struct for each status; `problems` are those beside what any route may answer."""

    summary: str
    answers: dict[int, type | None]
    query: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    body: type | None = None
    body_is_optional: bool = False
    problems: tuple[int, ...] = ()
    creates: bool = False
    media: str | None = None  # what is answered in place of JSON
    takes_lines: bool = False


def _got(answer: type, summary: str, *query: str, problems: tuple[int, ...] = (404,)) -> Route:
    return Route(summary, {200: answer}, query, problems=problems)


def _did(answer: type, summary: str) -> Route:
    return Route(summary, {200: answer}, problems=(404, 409))


ROUTES: Final[dict[str, Route]] = {
    "POST /jobs/{jobType}/trigger/file": Route(
        "A job from a file under a source root",
        {202: jobs.NewJob},
        body=requests.FileTrigger,
        problems=(400, 404, 408, 409, 413, 415),
        creates=True,
    ),
    "POST /jobs/{jobType}/trigger/database": Route(
        "A job from the staging table",
        {202: jobs.NewJob, 200: jobs.Message},
        body=requests.DatabaseTrigger,
        body_is_optional=True,
        problems=(400, 408, 409, 413, 415),
        creates=True,
    ),
    "POST /jobs/{jobType}/trigger/items": Route(
        "A job from the items of the request",
        {202: jobs.NewJobWithCounts},
        body=requests.ItemsTrigger,
        problems=(400, 408, 409, 413, 415),
        creates=True,
    ),
    "POST /jobs/{jobType}/trigger/upload": Route(
        "A job from the body of the request",
        {202: jobs.NewJobWithCounts},
        query=UPLOAD,
        problems=(400, 409, 415),
        creates=True,
        takes_lines=True,
    ),
    "GET /jobs": _got(jobs.Jobs, "Jobs, newest first", "status", "jobType", *PAGE, problems=()),
    "GET /jobs/{id}": _got(jobs.Job, "One job"),
    "PATCH /jobs/{id}": Route(
        "Change its priority and limits",
        {200: jobs.Job},
        body=requests.JobChanges,
        problems=(400, 404, 408, 409, 413, 415),
    ),
    "POST /jobs/{id}/cancel": _did(jobs.Cancelled, "Stop a job"),
    "POST /jobs/{id}/pause": _did(jobs.Job, "Let nothing more of a job start"),
    "POST /jobs/{id}/resume": _did(jobs.Job, "Let a paused job go on"),
    "GET /jobs/{id}/batches": _got(jobs.Batches, "Its batches", *PAGE),
    "GET /batches/{id}/items": _got(items.Items, "The items of a batch", "status", *PAGE, "skip", "take"),
    "GET /jobs/{id}/items": _got(items.Items, "Its items", "status", "errorCode", *PAGE),
    "GET /jobs/{id}/items/{seq}": _got(items.Line, "What became of one line"),
    "GET /items": Route(
        "Who holds an idempotency key now",
        {200: items.Lines},
        ("jobType", "idempotencyKey"),
        ("jobType", "idempotencyKey"),
    ),
    "GET /jobs/{id}/results": Route(
        "What became of each item, as NDJSON in input order",
        {200: None},
        ("status", *PAGE, "order"),
        problems=(404,),
        media=NDJSON,
    ),
    "GET /jobs/{id}/rejects": _got(items.Rejects, "Lines that could not become items", *PAGE),
    "GET /jobs/{id}/duplicates": _got(items.Duplicates, "Lines whose key was taken", *PAGE),
    "GET /jobs/{id}/lapses": _got(items.Lapses, "Claims that ended without an answer", *PAGE),
    "GET /jobs/{id}/errors": _got(items.Errors, "The commonest error codes", "limit"),
    "GET /jobs/{id}/dead-letter": _got(items.Items, "Its dead letters", *PAGE),
    "POST /jobs/{id}/dead-letter/replay": _did(jobs.Replayed, "Give dead letters fresh attempts"),
    "DELETE /jobs/{id}/dead-letter": _did(jobs.Purged, "Empty dead letters"),
    "GET /handlers": _got(operating.Handlers, "Job types", problems=()),
    "PATCH /handlers/{jobType}": Route(
        "Pause a job type, or change its limits",
        {200: operating.Handler},
        body=requests.JobTypeChanges,
        problems=(400, 404, 408, 413, 415),
    ),
    "GET /workers": _got(operating.Workers, "Who works, and on what", "state", *PAGE, problems=()),
    "POST /workers/{id}/release": Route("Give a worker up", {200: operating.Released}, problems=(404,)),
    "GET /actions": _got(operating.Actions, "Who did what", "jobId", *PAGE, problems=()),
    "GET /cron": _got(operating.Cron, "What is run by the clock", problems=()),
    "POST /process": Route(
        "Run one item here, outside the ledger",
        {200: operating.Outcome},
        body=requests.Process,
        problems=(400, 408, 413, 415),
    ),
    "POST /process/batch": Route(
        "Run many items here",
        {200: operating.BatchOutcomes},
        body=requests.ProcessBatch,
        problems=(400, 408, 413, 415),
    ),
    "GET /healthz": Route("Does the process live?", {200: operating.Alive}),
    "GET /readyz": Route("Can it work?", {200: operating.Ready}),
    "GET /metrics": Route("Metrics of this process, for Prometheus", {200: None}, media="text/plain"),
    "GET /openapi.json": Route("This document", {200: None}),
}
