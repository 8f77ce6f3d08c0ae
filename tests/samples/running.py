import json
from pathlib import Path
from typing import Any

from batchanator import JobContext, Outcome, SliceContext
from batchanator.handlers import Registry, to_outcome, to_outcomes

SAMPLES = Path(__file__).parents[2] / "samples"
REGISTRY = Registry.load(["samples.handlers", "samples.new_handler"], entry_points=False)
FILES = {
    "data-sync": "data-sync.ndjson",
    "email-notification": "email-notifications.ndjson",
    "flaky-demo": "flaky-demo.ndjson",
    "greeting": "new-handler.ndjson",
    "ledger-entry": "ledger-entries.ndjson",
    "report-generation": "report-generation.ndjson",
}


def lines(job_type: str) -> list[str]:
    return (SAMPLES / FILES[job_type]).read_text(encoding="utf-8").splitlines()


async def run(
    job_type: str, raw: str, *, job: int = 1, seq: int = 1, attempt: int = 1, fence: int = 1
) -> Outcome:
    registered = REGISTRY.get(job_type)
    key = json.loads(raw)["idempotency_key"]
    payload = registered.payloads.read_one(raw)
    if registered.whole_slice:
        slice_ = SliceContext(job, seq, seq, fence, keys=[key], seqs=[seq], attempts=[attempt])
        return to_outcomes(registered.call([payload], slice_), 1)[0]
    answer = registered.call(payload, JobContext(key, job, seq, attempt, fence))
    return to_outcome(await answer if registered.is_async else answer)


def line(job_type: str, number: int = 0, **changes: Any) -> str:
    return json.dumps(json.loads(lines(job_type)[number]) | changes)
