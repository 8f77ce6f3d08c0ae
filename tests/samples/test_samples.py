import email
import email.policy
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from batchanator import Failed, JobContext, Outcome, Skipped, SliceContext, Succeeded
from batchanator.handlers import Registry, encode_result, to_outcome, to_outcomes

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


@pytest.fixture(autouse=True)
def outbox(tmp_path, monkeypatch):
    monkeypatch.setenv("BATCHANATOR_SAMPLES_OUTBOX", str(tmp_path / "out"))
    return tmp_path / "out"


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


def test_every_job_type_has_its_handler_and_its_lines() -> None:
    assert [h.job_type for h in REGISTRY] == sorted(FILES)
    for job_type in FILES:
        keys = [json.loads(raw)["idempotency_key"] for raw in lines(job_type)]
        assert len(set(keys)) == len(keys) == (3 if job_type == "greeting" else 10)


def test_the_repositorys_configuration_names_the_samples() -> None:
    ours = json.loads((SAMPLES.parent / "batchanator.json").read_text())["Batchanator"]
    assert ours == {"DatabaseProvider": "Sqlite", "Handlers": ["samples.handlers"]}


@pytest.mark.parametrize("job_type", ["email-notification", "report-generation", "greeting"])
async def test_every_line_succeeds_with_a_result_that_can_be_stored(job_type) -> None:
    for seq, raw in enumerate(lines(job_type), 1):
        outcome = await run(job_type, raw, seq=seq)
        assert isinstance(outcome, Succeeded), (seq, outcome)
        assert encode_result(outcome.result)


def tree(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


@pytest.mark.parametrize("job_type", ["email-notification", "report-generation"])
async def test_a_repeat_leaves_the_same_files_and_says_the_same(job_type, outbox) -> None:
    first = [await run(job_type, raw) for raw in lines(job_type)]
    before = tree(outbox)
    assert [await run(job_type, raw, attempt=2, fence=2) for raw in lines(job_type)] == first
    assert tree(outbox) == before
    assert len(before) == 10


async def test_a_mail_is_rendered_whole(outbox) -> None:
    outcome = await run("email-notification", lines("email-notification")[1])
    assert isinstance(outcome, Succeeded)
    raw = (outbox / "emails" / outcome.result["file"]).read_bytes()
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message["To"] == "grace@example.com"
    assert message["Subject"] == "Welcome aboard, Grace"
    assert message["Message-ID"] == outcome.result["messageId"]
    assert "Your workspace compilers is ready." in message.get_content()
    assert "Welcome, Grace!" in message.get_content()


async def test_a_line_break_in_a_variable_begins_no_header(outbox) -> None:
    raw = line(
        "email-notification",
        subject="Hi {{x}}",
        templateVariables={"name": "Eve", "x": "a\r\nBcc: eve@example.com"},
    )
    outcome = await run("email-notification", raw)
    assert isinstance(outcome, Succeeded)
    message = email.message_from_bytes((outbox / "emails" / outcome.result["file"]).read_bytes())
    assert "Bcc" not in message


async def test_a_key_of_anyones_choosing_stays_inside_the_outbox(outbox) -> None:
    await run("email-notification", line("email-notification", idempotency_key="../../etc/passwd\0"))
    (only,) = tree(outbox)
    assert Path(only).parent == Path("emails")


@pytest.mark.parametrize(
    ("job_type", "changes", "code"),
    [
        ("email-notification", {"templateId": "none"}, "unknown_template"),
        ("email-notification", {"body": "{{nobody}}"}, "missing_variable"),
        ("report-generation", {"outputFormat": "pdf"}, "unknown_format"),
        ("report-generation", {"endDate": "2025-12-31"}, "invalid_period"),
        ("report-generation", {"endDate": "2027-01-02"}, "invalid_period"),
        ("data-sync", {"data": None}, "missing_data"),
    ],
)
async def test_what_can_never_work_fails_for_good_with_a_code(job_type, changes, code) -> None:
    outcome = await run(job_type, line(job_type, **changes))
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.permanent) == (code, True)


@pytest.mark.parametrize("form", ["csv", "json", "html", "txt", "CSV"])
async def test_a_report_has_a_row_a_day_in_every_format(form, outbox) -> None:
    outcome = await run(
        "report-generation", line("report-generation", outputFormat=form, reportType="<sales>")
    )
    assert isinstance(outcome, Succeeded)
    assert outcome.result["rows"] == 31
    text = (outbox / "reports" / outcome.result["file"]).read_text()
    assert text.count("2026-01-3") >= 2
    assert form != "html" or "<sales>" not in text


def crm(outbox: Path) -> dict[str, str]:
    with closing(sqlite3.connect(outbox / "crm.db")) as connection:
        return dict(connection.execute("SELECT id, data FROM entities"))


def fences(outbox: Path) -> list[int]:
    with closing(sqlite3.connect(outbox / "crm.db")) as connection:
        return [fence for (fence,) in connection.execute("SELECT fence FROM applied")]


def change(key: str, operation: str, **data: Any) -> str:
    body = {"data": data} if operation != "delete" else {}
    entity = {"externalSystemId": "s", "entityType": "t", "entityId": "e", "operation": operation}
    return json.dumps({"idempotency_key": key} | entity | body)


async def test_entities_are_created_updated_and_deleted(outbox) -> None:
    await run("data-sync", change("1", "create", v=1))
    await run("data-sync", change("2", "update", v=2))
    assert crm(outbox) == {"e": '{"v": 2}'}
    assert await run("data-sync", change("3", "delete")) == Succeeded(
        {"operation": "delete", "applied": True}
    )
    assert crm(outbox) == {}
    assert await run("data-sync", change("4", "delete")) == Skipped("t e is not there")


async def test_neither_a_repeat_nor_a_late_older_fence_changes_anything(outbox) -> None:
    await run("data-sync", change("1", "create", v=1), fence=5)
    await run("data-sync", change("2", "update", v=2), seq=2)
    for fence in (6, 4):
        outcome = await run("data-sync", change("1", "create", v=1), fence=fence)
        assert outcome == Succeeded({"operation": "create", "applied": False})
    assert crm(outbox) == {"e": '{"v": 2}'}
    assert fences(outbox) == [5, 1]


async def test_a_mended_line_that_took_the_key_over_is_applied_and_its_elder_no_more(outbox) -> None:
    await run("data-sync", change("1", "create", v=1), job=1, seq=7)
    await run("data-sync", change("1", "create", v=2), job=2, seq=1)
    assert crm(outbox) == {"e": '{"v": 2}'}
    await run("data-sync", change("1", "create", v=1), job=1, seq=7, fence=9)
    assert crm(outbox) == {"e": '{"v": 2}'}


async def test_a_change_that_fails_half_way_leaves_nothing(outbox, monkeypatch) -> None:
    monkeypatch.setattr("samples.handlers.data_sync._UPSERT", "INSERT INTO nowhere VALUES (?, ?, ?, ?)")
    with pytest.raises(sqlite3.OperationalError):
        await run("data-sync", change("1", "create", v=1))
    monkeypatch.undo()
    monkeypatch.setenv("BATCHANATOR_SAMPLES_OUTBOX", str(outbox))
    assert await run("data-sync", change("1", "create", v=1)) == Succeeded(
        {"operation": "create", "applied": True}
    )


async def test_the_sync_lines_all_end_well() -> None:
    outcomes = [await run("data-sync", raw, seq=seq) for seq, raw in enumerate(lines("data-sync"), 1)]
    assert [type(outcome) for outcome in outcomes] == [Succeeded] * 9 + [Skipped]


async def test_the_flaky_lines_fail_exactly_as_planned() -> None:
    most = REGISTRY.get("flaky-demo").policy.max_attempts or 0
    ends = []
    for raw in lines("flaky-demo"):
        outcomes = [await run("flaky-demo", raw, attempt=n) for n in range(1, most + 1)]
        done = next((n for n, o in enumerate(outcomes, 1) if isinstance(o, Succeeded)), None)
        first = outcomes[0]
        ends.append("permanent" if isinstance(first, Failed) and first.permanent else done)
    assert ends == [1, 1, 2, 2, 3, 4, None, None, "permanent", "permanent"]


def ledger(outbox: Path) -> dict[str, str]:
    with closing(sqlite3.connect(outbox / "ledger.db")) as connection:
        return dict(connection.execute("SELECT idempotency_key, amount FROM entries"))


def test_a_slice_is_booked_in_one_transaction_and_again_without_effect(outbox) -> None:
    registered = REGISTRY.get("ledger-entry")
    raws = lines("ledger-entry")
    payloads = registered.payloads.read_slice(f"[{','.join(raws)}]")
    keys = [json.loads(raw)["idempotency_key"] for raw in raws]
    for attempt in (1, 2):
        context = SliceContext(1, 1, 10, attempt, keys=keys, seqs=range(1, 11), attempts=[attempt] * 10)
        outcomes = to_outcomes(registered.call(payloads, context), 10)
        skipped = [n for n, outcome in enumerate(outcomes, 1) if outcome == Skipped("nothing to book")]
        assert skipped == [4, 9]
        assert len(ledger(outbox)) == 8
    assert ledger(outbox)["ledger-0005"] == "15000.50"


def test_the_first_handler_to_write_is_eight_lines() -> None:
    code = [text for text in (SAMPLES / "new_handler.py").read_text().splitlines() if text.strip()]
    assert len(code) <= 8
