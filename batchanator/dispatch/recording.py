"""From what a held slice has in memory to what a settle says of it. Pure, but for the clock that comes in."""

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import assert_never

import orjson

from batchanator.dispatch.held import HeldSlice
from batchanator.domain.outcomes import Failed, Outcome, Skipped, Succeeded
from batchanator.domain.policy import Dead, settle_failure
from batchanator.handlers.answers import SUCCEEDED
from batchanator.handlers.errors import InvalidResultError
from batchanator.handlers.results import encode_result
from batchanator.store.records import ItemOutcome, SliceOutcome
from batchanator.store.slices import LEASED

MAX_RESULT_BYTES = 64 * 1024
RESULT_TOO_LARGE = "result_too_large"
_DIGITS = re.compile(r"\d+|0x[0-9a-f]+", re.IGNORECASE)


def fingerprint(code: str | None, error: str) -> str:
    """Return 16 hex digits that errors share which differ in numbers only."""
    text = f"{code}\0{_DIGITS.sub('#', error)[:500]}"
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def record(
    held: HeldSlice, *, closing: bool, now_ns: int, jitter: Callable[[], float]
) -> tuple[SliceOutcome, list[ItemOutcome]]:
    """Return the slice's row and a row for each item that needs one: all that is new since the last flush.

    Plainly succeeded items of a first, closing settle have none: the run stands for them.
    """
    claimed = held.claimed
    first = claimed.first_seq
    if closing and _is_plain(held):
        return _slice(held, range(len(held.outcomes)), None, closing=True, now_ns=now_ns), []
    rows: list[ItemOutcome] = []
    results: list[str | None] | None = None
    plain: list[int] = []
    may_be_plain = closing and claimed.settles == 0
    for seq in claimed.seqs:
        position = seq - first
        outcome = held.outcomes[position]
        if outcome is None or seq in held.flushed:
            continue
        result: str | None = None
        code: str | None = None
        if outcome.__class__ is Succeeded and outcome.result is not None:
            try:
                result = encode_result(outcome.result)
            except InvalidResultError as error:
                outcome = Failed(str(error), "invalid_result")
            if result is not None and len(result) > MAX_RESULT_BYTES:
                result, code = None, RESULT_TOO_LARGE
        if may_be_plain and outcome.__class__ is Succeeded and code is None and seq not in claimed.retries:
            plain.append(position)
            if result is not None:
                if results is None:
                    results = [None] * len(held.outcomes)
                results[position] = result
        else:
            rows.append(_row(held, seq, outcome, now_ns, jitter, result, code))
    return _slice(held, plain, results, closing=closing, now_ns=now_ns), rows


def _is_plain(held: HeldSlice) -> bool:
    """Tell, at little cost, whether every item of a dense range succeeded here without a result."""
    claimed = held.claimed
    return (
        claimed.settles == 0
        and not claimed.retries
        and not held.flushed
        and all(outcome is SUCCEEDED for outcome in held.outcomes)
    )


def _slice(
    held: HeldSlice, plain: Sequence[int], results: list[str | None] | None, *, closing: bool, now_ns: int
) -> SliceOutcome:
    offsets = durations = None
    started_ns, ended_ns = held.started_ns, held.ended_ns
    begin = end = now_ns
    if plain:
        if len(plain) == len(started_ns):
            begin, end = min(started_ns), max(ended_ns)
            offsets = orjson.dumps([(start - begin) // 1000 for start in started_ns]).decode()
            durations = orjson.dumps(
                [(ended - start) // 1000 for start, ended in zip(started_ns, ended_ns, strict=True)]
            ).decode()
        else:
            begin = min(started_ns[position] for position in plain)
            end = max(ended_ns[position] for position in plain)
            starts: list[int | None] = [None] * len(started_ns)
            takes: list[int | None] = [None] * len(started_ns)
            for position in plain:
                starts[position] = (started_ns[position] - begin) // 1000
                takes[position] = (ended_ns[position] - started_ns[position]) // 1000
            offsets, durations = orjson.dumps(starts).decode(), orjson.dumps(takes).decode()
    text = None if results is None else "[" + ",".join("null" if r is None else r for r in results) + "]"
    return SliceOutcome(
        *held.key,
        LEASED,
        closing,
        len(plain),
        "succeeded" if plain else None,
        timedelta(microseconds=(now_ns - begin) // 1000),
        timedelta(microseconds=(now_ns - end) // 1000),
        offsets,
        durations,
        text,
    )


def _row(
    held: HeldSlice,
    seq: int,
    outcome: Outcome,
    now_ns: int,
    jitter: Callable[[], float],
    result: str | None,
    code: str | None,
) -> ItemOutcome:
    position = seq - held.claimed.first_seq
    attempt, allowed = held.attempt_of(seq), held.allowed(seq)
    status, reason, wait, error, failed = "succeeded", None, None, None, False
    match outcome:
        case Succeeded():
            pass
        case Skipped():
            status, error = "skipped", outcome.reason
        case Failed():
            failed, code, error = True, outcome.code, outcome.error or "failed"
            verdict = settle_failure(attempt, allowed, outcome, held.policy.backoff, jitter())
            if isinstance(verdict, Dead):
                status, reason = "dead", verdict.reason
            else:
                status, wait = "retrying", verdict.delay
        case _:
            assert_never(outcome)
    return ItemOutcome(
        held.key.job_id,
        held.key.first_seq,
        seq,
        status,
        reason,
        attempt,
        allowed,
        failed,
        wait,
        timedelta(microseconds=(now_ns - held.started_ns[position]) // 1000),
        timedelta(microseconds=(now_ns - held.ended_ns[position]) // 1000),
        code,
        error,
        fingerprint(code, error) if failed and error else None,
        result,
    )
