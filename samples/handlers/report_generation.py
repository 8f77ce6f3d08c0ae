"""Renders a report into outbox/reports: a plain function, which runs in a thread."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from datetime import date, timedelta
from html import escape
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from batchanator import Failed, JobContext, Outcome, Succeeded, handler
from samples.handlers.outbox import outbox, safe_name, write_once

LONGEST_PERIOD = 366  # days


class ReportRequest(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    report_type: str
    user_id: str
    start_date: date
    end_date: date
    output_format: str
    parameters: dict[str, Any] = {}


Row = tuple[str, int]


@handler("report-generation")
def generate_report(payload: ReportRequest, context: JobContext) -> Outcome:
    renderer = RENDERERS.get(payload.output_format.lower())
    if renderer is None:
        known = ", ".join(sorted(RENDERERS))
        return Failed(f"no such output format; known: {known}", code="unknown_format", permanent=True)
    days = (payload.end_date - payload.start_date).days + 1
    if not 0 < days <= LONGEST_PERIOD:
        return Failed(
            f"a report covers 1 to {LONGEST_PERIOD} days, not {days}", code="invalid_period", permanent=True
        )
    title = f"{payload.report_type} of {payload.user_id}, {payload.start_date} to {payload.end_date}"
    rows = [
        (str(day), figure(payload, day)) for day in (payload.start_date + timedelta(n) for n in range(days))
    ]
    path = outbox("reports") / f"{safe_name(context.idempotency_key)}.{payload.output_format.lower()}"
    write_once(path, renderer(title, rows).encode())
    return Succeeded({"file": path.name, "rows": days, "total": sum(value for _, value in rows)})


def figure(request: ReportRequest, day: date) -> int:
    """Stand in for a query: a figure from 0 to 255 that is the same in every run."""
    parameters = json.dumps(request.parameters, sort_keys=True)
    return hashlib.sha256(f"{request.report_type}|{request.user_id}|{parameters}|{day}".encode()).digest()[0]


def as_csv(_title: str, rows: list[Row]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([("day", "value"), *rows])
    return text.getvalue()


def as_json(title: str, rows: list[Row]) -> str:
    return json.dumps(
        {"title": title, "rows": [{"day": day, "value": value} for day, value in rows]}, indent=2
    )


def as_html(title: str, rows: list[Row]) -> str:
    lines = "\n".join(f"<tr><td>{day}</td><td>{value}</td></tr>" for day, value in rows)
    title = escape(title)
    return f"<!doctype html>\n<title>{title}</title>\n<h1>{title}</h1>\n<table>\n{lines}\n</table>\n"


def as_txt(title: str, rows: list[Row]) -> str:
    return "\n".join([title, "=" * len(title), *(f"{day}  {value:>5}" for day, value in rows), ""])


RENDERERS: dict[str, Callable[[str, list[Row]], str]] = {
    "csv": as_csv,
    "html": as_html,
    "json": as_json,
    "txt": as_txt,
}
