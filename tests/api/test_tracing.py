"""With `Tracing` a slice is a span, handlers' spans are its children, behind /process too; without it there is none."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel

from batchanator import JobContext, handler
from batchanator.app.parts import API, SCHEDULER, Parts
from batchanator.domain.errors import SettingsError
from tests.api import handlers
from tests.api.client import Client, make_serving, served, until

EXPORTER = InMemorySpanExporter()


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """What was exported; a process has one provider, set once."""
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(EXPORTER))
        trace.set_tracer_provider(provider)
    EXPORTER.clear()
    return EXPORTER


class Nothing(BaseModel):
    pass


@handler("traced")
async def traced(_payload: Nothing, context: JobContext) -> None:
    with trace.get_tracer("test").start_as_current_span(f"mine {context.idempotency_key}"):
        pass


@handler("traced-plain")
def traced_plain(_payload: Nothing, context: JobContext) -> None:
    with trace.get_tracer("test").start_as_current_span(f"mine {context.idempotency_key}"):
        pass


@pytest.fixture(autouse=True)
def with_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "traced", traced, raising=False)
    monkeypatch.setattr(handlers, "traced_plain", traced_plain, raising=False)


async def named(spans: InMemorySpanExporter, name: str, count: int = 1) -> list[Any]:
    async def found() -> list[Any] | None:
        found = [span for span in spans.get_finished_spans() if span.name == name]
        return found if len(found) >= count else None

    got: list[Any] = await until(found)
    return got


@pytest.mark.parametrize("job_type", ["traced", "traced-plain"])
async def test_a_handlers_spans_are_children_of_its_slice(
    sqlite_url: str, tmp_path: Path, spans: InMemorySpanExporter, job_type: str
) -> None:
    async with served(sqlite_url, tmp_path, tracing="true") as live:
        job = await live.items({}, {}, job_type=job_type)
        await live.ended(job)
        (slice_span,) = await named(spans, "batchanator.slice")
        mine = [*await named(spans, "mine k1"), *await named(spans, "mine k2")]
    assert slice_span.parent is None
    assert dict(slice_span.attributes) == {
        "batchanator.job_type": job_type,
        "batchanator.job": job,
        "batchanator.slice": 1,
        "batchanator.fence": 1,
        "batchanator.items": 2,
        "batchanator.succeeded": 2,
    }
    assert {span.parent.span_id for span in mine} == {slice_span.context.span_id}


@pytest.mark.parametrize("requests", ["item", "slice"])
async def test_a_trace_goes_on_behind_process(
    sqlite_url: str, tmp_path: Path, spans: InMemorySpanExporter, requests: str
) -> None:
    async with served(sqlite_url, tmp_path, parts=API, tracing="true") as api:
        more: dict[str, Any] = {"api_base_url": api.base, "api_requests": requests, "tracing": "true"}
        async with served(sqlite_url, tmp_path, parts=SCHEDULER, **more) as scheduler:
            await api.ended(await scheduler.items({}, job_type="traced"))
            (slice_span,) = await named(spans, "batchanator.slice")
            (request,) = await named(spans, "batchanator.process")
            (mine,) = await named(spans, "mine k1")
    assert request.parent.span_id == slice_span.context.span_id
    assert mine.parent.span_id == request.context.span_id
    assert {one.context.trace_id for one in (slice_span, request, mine)} == {slice_span.context.trace_id}


async def test_without_the_setting_there_is_no_span(live: Client, spans: InMemorySpanExporter) -> None:
    await live.ended(await live.items({}))
    assert spans.get_finished_spans() == ()


def test_without_the_setting_nothing_of_it_is_imported() -> None:
    code = "import sys, batchanator.app.serving; print([m for m in sys.modules if m.startswith('opentelemetry')])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert run.stdout.strip() == "[]"


def test_without_the_extra_the_setting_is_refused(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "batchanator.telemetry.tracing", None)
    with pytest.raises(SettingsError, match=r"^Tracing: .*install batchanator\[otel\]$"):
        make_serving(sqlite_url, tmp_path, parts=Parts(), tracing="true")
