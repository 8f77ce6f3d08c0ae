"""GET /metrics tells what was done, under names that docs/metrics.md describes one by one."""

import re
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from batchanator.app.measuring import MOST_SLICES
from batchanator.app.parts import API, SCHEDULER
from batchanator.telemetry.metrics import Metrics
from tests.api.client import Client, served, until
from tests.contract.world import World, entries

TEXT = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
Samples = dict[tuple[str, tuple[str, ...]], float]


async def scrape(client: Client) -> Samples:
    answer = await client.get("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name.removeprefix("batchanator_"), tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }


def test_every_metric_is_documented_with_its_kind_and_labels_and_no_other() -> None:
    rows = re.findall(r"^\| `(batchanator_\w+)` \| (\w+) \| (.+?) \|", TEXT, re.MULTILINE)
    told = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    there = {}
    registry = Metrics().registry
    collectors: dict[Any, list[str]] = dict(registry._collector_to_names)
    for collector, names in collectors.items():
        kind = collector._type
        name = (
            next(name for name in names if name.endswith("_total")) if kind == "counter" else collector._name
        )
        there[name] = (kind, set(collector._labelnames))
    assert told == there
    assert f"to {MOST_SLICES:,}" in TEXT


async def test_items_are_counted_by_type_and_outcome_and_lines_by_result(live: Client) -> None:
    await live.ended(await live.items({}, {"does": "skip"}, {"does": "die"}, prefix="a"))
    await live.ended(await live.items({}, {"does": "skip"}, prefix="a"))
    after = await scrape(live)
    for outcome in ("succeeded", "skipped", "dead"):
        assert after["items_total", ("echo", outcome)] == 1
    assert after["ingested_lines_total", ("accepted",)] == 3
    assert after["ingested_lines_total", ("duplicate",)] == 2
    assert after["claimed_slices_total", ()] >= 1
    assert after["claim_seconds_count", ()] >= 1
    assert after["settle_seconds_count", ()] >= 1
    assert after["settled_slices_total", ()] == after["claimed_slices_total", ()]
    assert after["stale_settles_total", ()] == 0


async def test_requests_are_counted_by_route_and_never_by_address(live: Client) -> None:
    for path in ("/jobs/12345", "/jobs/12346", "/no/such/secret-12347"):
        assert (await live.get(path)).status == 404
    assert (await live.ask("PUT", "/jobs/12348")).status == 405
    answer = await live.get("/metrics")
    told = await scrape(live)
    assert told["http_requests_total", ("GET /jobs/{id}", "404")] == 2
    assert told["http_request_seconds_count", ("GET /jobs/{id}",)] == 2
    assert told["http_requests_total", ("?", "404")] == 1
    assert told["http_requests_total", ("?", "405")] == 1
    assert told["http_requests_total", ("GET /metrics", "200")] == 1
    assert b"1234" not in answer.body


async def test_gauges_tell_what_the_database_has(quiet: Client) -> None:
    job = await quiet.world.job(entries(["a", "b", "c"]), slice_size=1)
    taken = await quiet.world.claim(await quiet.world.worker(), limit=1)
    assert [one.job_id for one in taken] == [job]
    told = await scrape(quiet)
    assert [told["slices", (state,)] for state in ("ready", "leased", "waiting", "held")] == [2, 1, 0, 0]
    assert told["oldest_due_seconds", ()] == 0
    assert 0 < told["oldest_ready_job_seconds", ()] < 600
    assert told["connections_limit", ("work",)] >= told["connections_used", ("work",)] >= 0
    assert told["stuck", ("threads",)] == told["stuck", ("children",)] == 0


async def test_gauges_of_the_database_are_asked_for_once_in_five_seconds(quiet: Client) -> None:
    first = await scrape(quiet)
    await quiet.world.job(entries(["a"]))
    again = await scrape(quiet)
    read = ("backlog_read_timestamp_seconds", ())
    assert first[read] == again[read] > 1e9
    assert again["slices", ("ready",)] == 0


async def test_a_refused_settle_is_counted(live: Client) -> None:
    worker = live.serving.runtime.worker
    assert worker is not None
    worker.dispatcher.settler._observer.refused()

    async def counted() -> bool:
        return (await scrape(live))["stale_settles_total", ()] == 1

    await until(counted)


async def test_the_api_and_the_scheduler_have_them_alike(sqlite_url: str, tmp_path: Path) -> None:
    async with served(sqlite_url, tmp_path, parts=API) as api:
        assert ("slices", ("ready",)) in await scrape(api)
        async with served(sqlite_url, tmp_path, parts=SCHEDULER, api_base_url=api.base) as scheduler:
            told = await scrape(scheduler)
            assert [told["circuit", (state,)] for state in ("closed", "open", "trying")] == [1, 0, 0]
            assert ("circuit", ("closed",)) not in await scrape(api)


async def test_uploads_are_counted_by_how_they_ended(live: Client) -> None:
    good = b'{"idempotency_key": "u1", "does": "succeed"}\n'
    assert (await live.post("/jobs/echo/trigger/upload", good)).status == 202
    damaged = b"\x1f\x8b" + b"no gzip at all"
    assert (await live.post("/jobs/echo/trigger/upload", damaged)).status == 422
    told = await scrape(live)
    assert told["uploads_total", ("sealed",)] == told["uploads_total", ("failed",)] == 1
    assert told["uploads_running", ()] == 0
    assert told["ingested_lines_total", ("accepted",)] == 1


async def test_lapses_are_counted_by_whoever_recovers_them(live: Client) -> None:
    runtime = live.serving.runtime
    assert runtime.worker is not None
    world = World(runtime.store, "")
    await world.job_type("elsewhere", slice_size=1)
    await world.job(entries(["a", "b"]), job_type="elsewhere", slice_size=1)
    dead = await world.worker()
    assert len(await world.claim(dead)) == 2
    await world.die(dead)
    await runtime.worker.duties.recover()
    assert (await scrape(live))["lapses_total", ()] == 2
