import email
import email.policy
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from batchanator import Failed, Skipped, SliceContext, Succeeded
from batchanator.handlers import encode_result, to_outcomes
from tests.samples.running import FILES, REGISTRY, SAMPLES, line, lines, run


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
