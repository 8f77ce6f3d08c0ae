"""Every metric of Batchanator. docs/metrics.md describes each; a test holds the two against each other."""

from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from batchanator.domain.observing import CronResult, Observer, UploadResult

STATES = ("ready", "leased", "waiting", "held")
CIRCUITS = ("closed", "open", "trying")
STUCK = ("threads", "children")
STATEMENT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
REQUEST_SECONDS = (*STATEMENT_SECONDS, 30, 60)

disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics(Observer):
    """The metrics of one process, in a registry of their own.

    `shared`: the folder of prometheus_client's multi-process mode, in which processes that answer on one port add up.
    """

    __slots__ = (
        "_cancelled",
        "_claim_seconds",
        "_claimed_slices",
        "_crashed",
        "_cron_runs",
        "_items",
        "_lapses",
        "_lines",
        "_request_seconds",
        "_requests",
        "_settle_seconds",
        "_settled_slices",
        "_shared",
        "_stale",
        "_uploads",
        "backlog_read",
        "circuit",
        "connections",
        "connections_limit",
        "oldest_due",
        "oldest_ready",
        "registry",
        "slices",
        "stuck",
        "uploads_running",
    )

    def __init__(self, *, shared: Path | None = None) -> None:
        self._shared = shared
        self.registry = registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"batchanator_{name}", text, labels, registry=registry)

        def seconds(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"batchanator_{name}_seconds", text, labels, buckets=buckets, registry=registry)

        def mine(name: str, text: str, *labels: str) -> Gauge:
            """Return a gauge of this process: processes on one port add up."""
            return Gauge(f"batchanator_{name}", text, labels, registry=registry, multiprocess_mode="livesum")

        def everyones(name: str, text: str, *labels: str) -> Gauge:
            """Return a gauge of the database, which is the same whoever reads it."""
            return Gauge(
                f"batchanator_{name}", text, labels, registry=registry, multiprocess_mode="mostrecent"
            )

        self._items = counter("items", "Outcomes that were settled", "job_type", "outcome")
        self._cancelled = counter(
            "cancelled_slices", "Slices of stopping jobs that were settled as cancelled"
        )
        self._crashed = counter("crashed_items", "Items made dead because workers died with them")
        self._claimed_slices = counter("claimed_slices", "Slices claimed")
        self._settled_slices = counter("settled_slices", "Slices settled or flushed, refused ones included")
        self._claim_seconds = seconds("claim", "Claims that found something", STATEMENT_SECONDS)
        self._settle_seconds = seconds("settle", "Settles, each of several slices", STATEMENT_SECONDS)
        self._stale = counter("stale_settles", "Slices whose settle came too late and was refused")
        self._lapses = counter("lapses", "Slices recovered from workers whose lease ran out")
        self._lines = counter("ingested_lines", "Lines committed", "result")
        self._uploads = counter("uploads", "Uploads by how they ended", "result")
        self._cron_runs = counter("cron_runs", "Runs by the clock", "name", "result")
        self._requests = counter("http_requests", "Requests answered", "route", "status")
        self._request_seconds = seconds(
            "http_request", "Requests, to their last byte", REQUEST_SECONDS, "route"
        )
        self.slices = everyones("slices", "Slices in the database by state, counted to a bound", "state")
        self.oldest_due = everyones("oldest_due_seconds", "How long the earliest retry has been due")
        self.oldest_ready = everyones(
            "oldest_ready_job_seconds", "Age of the oldest job that could start work"
        )
        self.backlog_read = everyones("backlog_read_timestamp_seconds", "When the database was last asked")
        self.connections = mine("connections_used", "Database connections in use", "pool")
        self.connections_limit = mine("connections_limit", "Database connections at most", "pool")
        self.stuck = mine("stuck", "Threads and children that do not come back", "kind")
        self.circuit = mine("circuit", "1 for the state of the circuit of ApiBaseUrl", "state")
        self.uploads_running = mine("uploads_running", "Uploads being read")
        for result in ("accepted", "duplicate", "rejected"):
            self._lines.labels(result)

    def text(self) -> bytes:
        """Return the metrics in Prometheus' text format 0.0.4."""
        registry = self.registry
        if self._shared is not None:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, str(self._shared))  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    def claimed(self, slices: int, seconds: float) -> None:
        if slices:
            self._claimed_slices.inc(slices)
            self._claim_seconds.observe(seconds)

    def settled(self, slices: int, seconds: float) -> None:
        self._settled_slices.inc(slices)
        self._settle_seconds.observe(seconds)

    def ended(self, job_type: str, outcomes: Mapping[str, int]) -> None:
        for outcome, count in outcomes.items():
            self._items.labels(job_type, outcome).inc(count)

    def refused(self) -> None:
        self._stale.inc()

    def lapsed(self, slices: int) -> None:
        self._lapses.inc(slices)

    def crashed(self, items: int) -> None:
        self._crashed.inc(items)

    def cancelled(self, slices: int) -> None:
        self._cancelled.inc(slices)

    def ingested(self, accepted: int, duplicates: int, rejected: int) -> None:
        for result, count in (("accepted", accepted), ("duplicate", duplicates), ("rejected", rejected)):
            if count:
                self._lines.labels(result).inc(count)

    def uploaded(self, result: UploadResult) -> None:
        self._uploads.labels(result).inc()

    def cron_run(self, name: str, result: CronResult) -> None:
        self._cron_runs.labels(name, result).inc()

    def answered(self, route: str, status: int, seconds: float) -> None:
        self._requests.labels(route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)
