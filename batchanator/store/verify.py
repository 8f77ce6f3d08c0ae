"""`verify`: the invariants that can be seen in a database, a statement each, with rows only where one is broken.

Safe on a live database: a statement is one snapshot, and what it recounts changes in one transaction. Not to be seen
here are what a worker holds in memory (I30), what was answered to clients (I25), the locks and the moment of a claim
(I15, I20), and what a key or a constraint makes impossible (I19, I27).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from batchanator.store.migrations import known
from batchanator.store.statements import Statement, load, sql_root
from batchanator.store.store import Repositories

GRACE = timedelta(minutes=1)


class Check(NamedTuple):
    """`what` must hold, with the invariant's number before it: the first line of the statement's file."""

    name: str
    what: str
    statement: Statement


class Violation(NamedTuple):
    """A check that found something, and the first of the rows that it found."""

    invariant: str
    what: str
    rows: list[dict[str, Any]]


class _Migration(NamedTuple):
    version: int
    checksum: str


def _check(name: str) -> Check:
    first = next((sql_root() / "queries" / "verify").glob(f"{name}.*")).read_text("utf-8").partition("\n")[0]
    return Check(name, first.removeprefix("-- "), load(f"verify/{name}"))


CHECKS: Sequence[Check] = tuple(
    _check(name)
    for name in (
        "migrations_are_ours",
        # jobs and lines
        "lines_add_up",
        "lines_are_in_one_place",
        "staging_rows_move_once",
        "duplicates_have_a_holder",
        "rows_have_their_job",
        "job_counters",
        "jobs_end_when_all_is_done",
        "jobs_do_not_end_before_they_begin",
        "ended_jobs_are_sealed",
        "ended_rounds_have_an_event",
        # batches
        "batch_totals",
        "batch_counters",
        "batches_do_not_overlap",
        "batches_end_with_their_slices",
        # slices and runs
        "slices_do_not_overlap",
        "slices_lie_in_their_batch",
        "slice_open_is_true",
        "slice_states_have_their_columns",
        "slice_ordinals_are_unique",
        "slice_fences_are_above_the_past",
        "open_items_have_a_slice",
        "unsettled_slices_have_no_run",
        "waiting_slices_wake_in_time",
        "due_slices_become_ready",
        "leased_slices_have_a_worker",
        "leases_are_recovered",
        "lapses_are_on_record",
        "lapses_lie_in_a_batch",
        "runs_do_not_overlap",
        "runs_lie_in_a_batch",
        "run_arrays_fit_their_range",
        # items, keys, outcomes and attempts
        "items_lie_in_a_batch",
        "payloads_are_kept",
        "purged_items_are_empty",
        "keys_name_their_item",
        "replaced_items_stay_ended",
        "outcomes_have_an_item",
        "outcomes_are_the_last_word",
        "outcome_states_have_their_columns",
        "plain_successes_stay",
        "dead_letters_have_an_error",
        "crashed_items_were_named",
        "errors_are_storable",
        "attempts_within_allowed",
        "attempts_are_dense",
        "attempts_have_an_outcome",
        "attempts_have_their_own_fence",
        "attempts_follow_each_other",
    )
)


async def verify(store: Repositories, *, limit: int = 20, grace: timedelta = GRACE) -> list[Violation]:
    """Return what is broken, with at most `limit` rows of each.

    `grace` is how long a lapsed lease or a due slice may wait for a worker that lives: a heartbeat and a poll, and
    room to breathe.
    """
    ours = [_Migration(migration.version, migration.checksum) for migration in known(store.dialect)]
    violations = []
    for check in CHECKS:
        rows = await store.session.fetch(check.statement, limit=limit, grace=grace, migrations=ours)
        if rows:
            violations.append(Violation(check.name, check.what, [dict(row) for row in rows]))
    return violations
