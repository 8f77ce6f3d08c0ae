from typing import Any

import click
import orjson
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from batchanator.api.one_item import holder_of, line_of
from batchanator.app.loops import run
from batchanator.app.opening import existing_store
from batchanator.cli import options
from batchanator.cli.duplicates import KINDS
from batchanator.cli.errors import UsageError
from batchanator.cli.listing import table_of
from batchanator.cli.terminal import instant, safe, show, status
from batchanator.cli.writing import write_json
from batchanator.domain.errors import NotFoundError
from batchanator.settings import Settings

_LONGEST = 2000


@click.command()
@click.argument("job_id", metavar="[JOB]", type=click.IntRange(min=1, max=2**62), required=False)
@click.argument("seq", metavar="[LINE]", type=click.IntRange(min=1, max=2**62), required=False)
@click.option("--key", metavar="KEY", help="Instead of JOB and LINE: who holds this idempotency key.")
@click.option("--job-type", metavar="TYPE", help="The job type of the key.")
@options.as_json
@options.with_settings()
def command(
    *,
    settings: Settings,
    job_id: int | None,
    seq: int | None,
    key: str | None,
    job_type: str | None,
    as_json: bool,
) -> None:
    """Show what became of LINE of JOB, or which item holds a KEY.

    An item comes with its payload, every failed attempt and lapse; a duplicate with who holds its key; a reject
    with what is wrong with it.
    """
    by_line = job_id is not None and seq is not None and key is None and job_type is None
    by_key = job_id is None and key is not None and job_type is not None
    if not (by_line or by_key):
        raise UsageError("name either JOB and LINE, or --key KEY and --job-type TYPE")

    async def work() -> dict[str, Any]:
        async with existing_store(settings) as store:
            if job_id is not None and seq is not None:
                return await line_of(store, job_id, seq)
            assert key is not None
            assert job_type is not None
            found = await holder_of(store, job_type, key)
            if found is None:
                raise NotFoundError(f"no item of {job_type} holds the key {key!r}")
            return found

    found = run(work())
    if as_json:
        write_json(found)
    else:
        _show(found)


def _show(one: dict[str, Any]) -> None:
    show(
        Text.assemble(
            (f"Job {one['jobId']} line {one['seq']} ", "bold"),
            status(one["status"]),
            f"   {safe(one['idempotencyKey'] or '')}",
        )
    )
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in _facts(one):
        if value is not None:
            table.add_row(name, Text(safe(value, longest=_LONGEST)))
    show(Padding(table, (1, 0, 0, 2)))
    if one["attemptsLog"]:
        show(Padding(_attempts(one["attemptsLog"]), (1, 0, 0, 2)))
    if one["lapses"]:
        show(Padding(_lapses(one["lapses"]), (1, 0, 0, 2)))


def _facts(one: dict[str, Any]) -> list[tuple[str, object]]:
    if one["reject"] is not None:
        reject = one["reject"]
        return [
            ("why", reject["code"]),
            ("where", reject["pointer"] or None),
            ("message", reject["message"]),
            ("text", reject["raw"]),
        ]
    if one["duplicate"] is not None:
        kind, held = one["duplicate"]["kind"], one["duplicate"]["holder"]
        state = f", {held['status']}" if held["status"] else ", not kept any more"
        return [
            ("held by", f"{_place(held)}{state}"),
            ("what", KINDS[kind] or None),
            ("replaced by", None if held["replacedBy"] is None else _place(held["replacedBy"])),
        ]
    return [
        ("batch", one["batchId"]),
        ("attempts", _of(one)),
        ("created", instant(one["createdAt"])),
        ("updated", instant(one["updatedAt"])),
        ("held by", _holder(one)),
        ("next attempt", None if one["nextAttemptAt"] is None else instant(one["nextAttemptAt"])),
        ("why", one["errorCode"] or one["reason"]),
        ("error", one["lastError"]),
        ("skipped because", one["skipReason"]),
        ("replaced by", None if one["replacedBy"] is None else _place(one["replacedBy"])),
        ("purged", None if one["purgedAt"] is None else instant(one["purgedAt"])),
        ("result", _text(one["result"])),
        ("payload", None if one["purgedAt"] is not None else _text(one["payload"])),
    ]


def _place(of: dict[str, Any]) -> str:
    return f"job {of['jobId']} line {of['seq']}"


def _of(one: dict[str, Any]) -> str:
    return str(one["attempts"]) + (f" of {one['maxAttempts']}" if one["maxAttempts"] is not None else "")


def _holder(one: dict[str, Any]) -> str | None:
    return (
        None if one["lockedBy"] is None else f"worker {one['lockedBy']} until {instant(one['lockedUntil'])}"
    )


def _text(value: object) -> str | None:
    return None if value is None else orjson.dumps(value, default=str).decode()


def _attempts(attempts: list[dict[str, Any]]) -> Table:
    table = table_of("Failed attempt", "Started", "Ended", "Why", "Error")
    for one in attempts:
        table.add_row(
            str(one["attempt"]),
            instant(one["startedAt"]),
            instant(one["endedAt"]),
            Text(safe(one["code"], longest=80), style="red"),
            Text(safe(one["error"] or "", longest=_LONGEST)),
        )
    return table


def _lapses(lapses: list[dict[str, Any]]) -> Table:
    table = table_of("Lapse", "Worker", "Claimed", "Lapsed", "Crash")
    for one in lapses:
        charged = "yes" if one["charged"] else "no"
        table.add_row(
            one["kind"], one["worker"], instant(one["claimedAt"]), instant(one["lapsedAt"]), charged
        )
    return table
