"""Ranges of lines: the slices of a batch, and runs of duplicates."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

MAX_SLICE_BYTES: Final = 256 << 10


class SliceCut(NamedTuple):
    """Where a slice begins and ends, and how many items it has (seqs have gaps)."""

    first_seq: int
    last_seq: int
    items: int


class DuplicateRun(NamedTuple):
    """Consecutive lines held by consecutive items of one job; `holder_seq` is the first of these."""

    first_line: int
    last_line: int
    holder_job_id: int
    holder_seq: int
    kind: str


def cut_slices(
    seqs: Sequence[int], sizes: Sequence[int], slice_size: int, max_bytes: int = MAX_SLICE_BYTES
) -> list[SliceCut]:
    """Cut ascending seqs, with their payloads' `sizes` in bytes, into slices.

    A slice ends at `slice_size` items, or before the item that would bring it past `max_bytes`; a larger item
    is alone.
    """
    if sizes and max(sizes) * slice_size <= max_bytes:
        starts = range(0, len(seqs), slice_size)
        parts = [seqs[start : start + slice_size] for start in starts]
        return [SliceCut(part[0], part[-1], len(part)) for part in parts]
    cuts: list[SliceCut] = []
    start = held = 0
    for index, size in enumerate(sizes):
        if index > start and (index - start == slice_size or held + size > max_bytes):
            cuts.append(SliceCut(seqs[start], seqs[index - 1], index - start))
            start, held = index, 0
        held += size
    if start < len(seqs):
        cuts.append(SliceCut(seqs[start], seqs[-1], len(seqs) - start))
    return cuts


def runs_of(duplicates: Iterable[tuple[int, int, int, str]]) -> list[DuplicateRun]:
    """Join (line, job id, seq, kind) of holders, in line order, whose line and holder both step by one.

    So a file that is sent twice costs a row a chunk.
    """
    runs: list[DuplicateRun] = []
    first = (0, 0, 0, "")
    line = held_by = seq = -1
    kind = ""
    for duplicate in duplicates:
        if duplicate == (line + 1, held_by, seq + 1, kind):
            line += 1
            seq += 1
            continue
        if line >= 0:
            runs.append(DuplicateRun(first[0], line, *first[1:]))
        first = duplicate
        line, held_by, seq, kind = duplicate
    if line >= 0:
        runs.append(DuplicateRun(first[0], line, *first[1:]))
    return runs
