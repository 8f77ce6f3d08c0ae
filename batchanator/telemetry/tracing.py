"""Spans by OpenTelemetry, which is an extra: imported only where `Tracing` is on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from batchanator.domain.tracing import Span, Spans

_W3C = TraceContextTextMapPropagator()
Attributes = Mapping[str, str | int]


class _Trace:
    __slots__ = ("_context",)

    def __init__(self, at: Context) -> None:
        self._context = at

    def enter(self) -> Any:
        return context.attach(self._context)

    def leave(self, token: Any) -> None:
        context.detach(token)


class _Span(Span):
    __slots__ = ("_span", "_trace")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._trace = _Trace(trace.set_span_in_context(span, Context()))

    @property
    def trace(self) -> _Trace:
        return self._trace

    def tell(self, outcomes: Mapping[str, int]) -> None:
        self._span.set_attributes({f"batchanator.{outcome}": count for outcome, count in outcomes.items()})


class OpenTelemetrySpans(Spans):
    __slots__ = ("_tracer",)

    def __init__(self, provider: trace.TracerProvider) -> None:
        self._tracer = provider.get_tracer("batchanator")

    @contextmanager
    def slice(self, attributes: Attributes) -> Iterator[Span]:
        with self._begun("batchanator.slice", Context(), trace.SpanKind.CONSUMER, attributes) as span:
            yield span

    @contextmanager
    def request(self, headers: Mapping[str, str], attributes: Attributes) -> Iterator[Span]:
        came_from = _W3C.extract(headers, Context())
        with self._begun("batchanator.process", came_from, trace.SpanKind.SERVER, attributes) as span:
            yield span

    def headers(self) -> Mapping[str, str]:
        told: dict[str, str] = {}
        _W3C.inject(told)
        return told

    @contextmanager
    def _begun(
        self, name: str, parent: Context, kind: trace.SpanKind, attributes: Attributes
    ) -> Iterator[Span]:
        named = {f"batchanator.{key}": value for key, value in attributes.items()}
        with self._tracer.start_as_current_span(name, parent, kind, named) as span:
            yield _Span(span)


def open_telemetry() -> OpenTelemetrySpans:
    """Return spans of the provider that is set; where none is, of one that exports by OTLP as OTEL_… variables say."""
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(provider)
    return OpenTelemetrySpans(trace.get_tracer_provider())
