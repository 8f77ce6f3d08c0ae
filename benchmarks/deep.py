"""Two million items in one job, half of them done, filled by statements: what a reader finds in the middle of a run."""

from benchmarks.places import Place
from benchmarks.ready import NEW_TYPE
from benchmarks.work import JOB_TYPE

JOB_ID = 1
BATCH, SLICE = 1000, 50
DUPLICATES = 200_000
"""Lines behind the items, each a run of its own: its holder's seq falls where the line rises."""

LEASED = 20

_SERIES = {
    "postgresql": "generate_series({first}, {last}) AS g (n)",
    "sqlite": """(WITH RECURSIVE g (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM g WHERE n < {last})
  SELECT n FROM g)""",
}
_PAYLOAD = """'{"idempotency_key":"key-' || n || '","id":' || n || ',"name":"customer ' || n ||
  '","email":"c@example.com","amount":1.25,"tags":["a","b"],"note":"' || '{filler}' || '"}'"""
_JOB = """INSERT INTO jobs (job_type_id, name, source_kind, source_name, line, lines, accepted, duplicates, batches,
    batches_open, succeeded, started_at, sealed_at)
  SELECT 1, 'deep', 'file', 'deep', {lines}, {lines}, {items}, {duplicates}, {batches}, {open}, {done}, created_at,
    created_at
  FROM job_types"""
_DUPLICATES = """INSERT INTO duplicates (job_id, first_line, last_line, holder_job_id, holder_seq, kind)
  SELECT 1, {items} + n, {items} + n, 1, {items} + 1 - n, 'duplicate' FROM {series}"""
_ITEMS = """INSERT INTO items (job_id, seq, idempotency_key, payload)
  SELECT 1, n, 'key-' || n, {payload} FROM {series}"""
_KEYS = """INSERT INTO idempotency_keys (job_id, seq, payload_hash, job_type_id, key)
  SELECT job_id, seq, seq, 1, idempotency_key FROM items ORDER BY idempotency_key"""
_DONE_BATCHES = """INSERT INTO batches (job_id, number, first_seq, last_seq, total, succeeded, completed_at)
  SELECT 1, n, (n - 1) * 1000 + 1, n * 1000, 1000, 1000, created_at FROM {series} CROSS JOIN job_types"""
_OPEN_BATCHES = """INSERT INTO batches (job_id, number, first_seq, last_seq, total)
  SELECT 1, n, (n - 1) * 1000 + 1, n * 1000, 1000 FROM {series}"""
_RUNS = """INSERT INTO runs (job_id, first_seq, last_seq, status, fence, worker, started_at, finished_at,
    start_offsets_us, durations_us)
  SELECT 1, n * 50 + 1, n * 50 + 50, 'succeeded', 1, 'w', created_at, created_at, '{array}', '{array}'
  FROM {series} CROSS JOIN job_types"""
_SLICES = """INSERT INTO slices (job_id, first_seq, last_seq, batch, ordinal, open, state, worker, claimed_at)
  SELECT 1, n * 50 + 1, n * 50 + 50, n / 20 + 1, n, 50, CASE WHEN n < {leased} THEN 1 ELSE 0 END,
    CASE WHEN n < {leased} THEN 'w' END, CASE WHEN n < {leased} THEN created_at END
  FROM {series} CROSS JOIN job_types"""


async def fill(place: Place, items: int) -> None:
    """Fill job 1; its first half is done, twenty slices are leased, and behind its items come duplicates."""
    await place.fresh()
    batches, slices = items // BATCH, items // SLICE
    half = batches // 2 * BATCH

    def series(first: int, last: int) -> str:
        return _SERIES[place.name].format(first=first, last=last)

    array = str([7] * SLICE).replace(" ", "")
    counts = {"items": items, "batches": batches, "open": batches - half // BATCH, "done": half}
    duplicates = min(DUPLICATES, items)
    lines = {"lines": items + duplicates, "duplicates": duplicates}
    await place.run(
        NEW_TYPE.format(name=JOB_TYPE, false=place.false),
        _JOB.format(**counts, **lines),
        _ITEMS.format(payload=_PAYLOAD.replace("{filler}", "x" * 110), series=series(1, items)),
        _KEYS,
        _DUPLICATES.format(items=items, series=series(1, duplicates)),
        _DONE_BATCHES.format(series=series(1, half // BATCH)),
        _OPEN_BATCHES.format(series=series(half // BATCH + 1, batches)),
        _RUNS.format(array=array, series=series(0, half // SLICE - 1)),
        _SLICES.format(leased=half // SLICE + LEASED, series=series(half // SLICE, slices - 1)),
    )
    await place.run("VACUUM ANALYZE" if place.name == "postgresql" else "ANALYZE")
    await place.settle_down()
