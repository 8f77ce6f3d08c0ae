"""What the state of jobs and workers means: is anything stuck, and what gets it going?"""

from collections.abc import Sequence
from datetime import timedelta

from batchanator.domain.diagnosis.finding import Fact, Finding, long, note, ok, wrong

PATIENCE = timedelta(seconds=60)
"""How long work that is due may wait before something is wrong."""

SERVE = "start one: batchanator serve"


def workers(living: Sequence[Fact]) -> Finding:
    if not living:
        return note("workers", "none is alive", SERVE)
    draining = sum(bool(row["draining"]) for row in living)
    return ok("workers", f"{len(living)} alive" + (f", {draining} of them draining" if draining else ""))


def ready(jobs: Sequence[Fact], living: Sequence[Fact]) -> Finding:
    """Judge jobs with work that could be claimed; `living` are the workers that are alive."""
    check = "work"
    free = [job for job in jobs if job["paused_at"] is None and job["type_paused_at"] is None]
    idle = [job for job in free if not job["runs"]]
    runners = [row for row in living if "dispatch" in row["roles"].split(",") and not row["draining"]]
    if free and not runners:
        return wrong(check, f"{_jobs(free)}: items to run, and no worker lives that runs handlers", SERVE)
    if idle:
        types = ", ".join(sorted({job["job_type"] for job in idle}))
        mend = f"see that a worker has the handlers of {types}, and that other jobs do not take every slot"
        return note(check, f"{_jobs(idle)}: items to run, and none of them runs now", mend)
    if len(free) < len(jobs):
        paused = [job for job in jobs if job not in free]
        return note(check, f"{_jobs(paused)}: items to run, and paused", "resume what may go on")
    return ok(check, f"{_jobs(free)}: items to run" if free else "nothing waits for a worker")


def waiting(row: Fact) -> Finding:
    check = "retries"
    if row["due_at"] is None or row["due_at"] + PATIENCE > row["now_at"]:
        return ok(check, "none is overdue")
    return wrong(
        check,
        f"the earliest has been due for {long(row['now_at'] - row['due_at'])}",
        "no living worker promotes: start one (batchanator serve), or read its log for duty.failed",
    )


def lapsed(rows: Sequence[Fact], *, grace: timedelta) -> Finding:
    """`grace` is what recovery may take after a lease: one heartbeat and one poll."""
    check = "lapsed slices"
    if not rows:
        return ok(check, "none")
    over = rows[0]["now_at"] - rows[0]["lease_until"]
    slices = sum(row["slices"] for row in rows)
    text = f"{slices} held by workers whose lease is over, the first for {long(over)}"
    if over <= grace:
        return note(check, text, f"a living worker frees them within {long(grace)}")
    return wrong(check, text, f"no living worker recovers: {SERVE}")


def suspects(rows: Sequence[Fact]) -> Finding:
    check = "suspect slices"
    if not rows:
        return ok(check, "none")
    places = ", ".join(f"{row['job_id']}:{row['first_seq']}-{row['last_seq']}" for row in rows[:5])
    return note(
        check,
        f"{len(rows)} lost their worker before: {places}",
        "GET /jobs/{id}/lapses says when; an item that kills its worker is found by name and ends as a dead letter",
    )


def ingestions(rows: Sequence[Fact]) -> Finding:
    check = "ingestion"
    orphans = [row for row in rows if not row["alive"] and row["created_at"] + PATIENCE < row["now_at"]]
    if not orphans:
        return ok(check, f"{len(rows)} sources are being read" if rows else "no source is open")
    mend = "start a process that ingests: batchanator serve"
    if any(row["source_kind"] == "file" for row in orphans):
        mend += (
            ", on the host that has the file and with its directory among SourceRoots; else cancel the job"
        )
    return wrong(check, f"{_jobs(orphans)}: nobody reads the source", mend)


def stopping(rows: Sequence[Fact], living: Sequence[Fact]) -> Finding:
    check = "stopping jobs"
    if not rows:
        return ok(check, "none is left over")
    text = f"{_jobs(rows)}: open items are not settled yet"
    if living:
        return note(check, text, "a worker sweeps them within seconds")
    return wrong(check, text, f"no worker lives that sweeps: {SERVE}")


def _jobs(rows: Sequence[Fact]) -> str:
    ids = ", ".join(str(row["id"]) for row in rows[:10])
    return f"{'job' if len(rows) == 1 else 'jobs'} {ids}{', …' if len(rows) > 10 else ''}"
