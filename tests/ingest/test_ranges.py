from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchanator.ingest.ranges import cut_slices, runs_of

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_a_slice_ends_at_its_size_or_before_too_many_bytes() -> None:
    assert cut_slices([], [], 2) == []
    assert cut_slices([1, 3, 4, 9, 10], [1] * 5, 2) == [(1, 3, 2), (4, 9, 2), (10, 10, 1)]
    assert cut_slices([1, 2, 3], [60, 40, 1], 50, max_bytes=100) == [(1, 2, 2), (3, 3, 1)]
    assert cut_slices([1, 2, 3], [1, 500, 1], 50, max_bytes=100) == [(1, 1, 1), (2, 2, 1), (3, 3, 1)]


@unhurried
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 60))), st.integers(1, 7))
def test_slices_are_disjoint_whole_and_bounded(steps: list[tuple[int, int]], slice_size: int) -> None:
    seqs, sizes, seq = [], [], 0
    for step, size in steps:
        seq += step
        seqs.append(seq)
        sizes.append(size)
    at = 0
    for first, last, items in cut_slices(seqs, sizes, slice_size, max_bytes=100):
        assert (seqs[at], seqs[at + items - 1]) == (first, last)
        assert 1 <= items <= slice_size
        assert items == 1 or sum(sizes[at : at + items]) <= 100
        at += items
    assert at == len(seqs)


def test_runs_join_what_steps_by_one_in_line_and_holder() -> None:
    duplicates = [
        (1, 7, 11, "duplicate"),
        (2, 7, 12, "duplicate"),
        (3, 7, 13, "conflict"),
        (4, 7, 14, "conflict"),
        (6, 7, 15, "conflict"),
        (7, 8, 16, "conflict"),
        (8, 8, 16, "conflict"),
    ]
    assert runs_of(duplicates) == [
        (1, 2, 7, 11, "duplicate"),
        (3, 4, 7, 13, "conflict"),
        (6, 6, 7, 15, "conflict"),
        (7, 7, 8, 16, "conflict"),
        (8, 8, 8, 16, "conflict"),
    ]


@unhurried
@given(st.lists(st.tuples(st.integers(1, 2), st.integers(1, 2), st.integers(1, 4), st.sampled_from("dc"))))
def test_runs_can_be_unrolled(steps: list[tuple[int, int, int, str]]) -> None:
    line, duplicates = 0, []
    for step, job, seq, kind in steps:
        line += step
        duplicates.append((line, job, seq, kind))
    unrolled = [
        (run.first_line + n, run.holder_job_id, run.holder_seq + n, run.kind)
        for run in runs_of(duplicates)
        for n in range(run.last_line - run.first_line + 1)
    ]
    assert unrolled == duplicates


def test_a_file_sent_twice_is_one_run_a_chunk() -> None:
    assert runs_of((n, 3, n, "duplicate") for n in range(1, 1001)) == [(1, 1000, 3, 1, "duplicate")]
