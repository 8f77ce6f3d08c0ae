"""A portion: some chunks that are committed together, with the rows that they become where no key is taken.

It is made in the thread that parses, while the database works on the portion before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

from batchanator.ingest.chunk import Chunk
from batchanator.ingest.keyring import KeyOfLine, Keyring, Line
from batchanator.ingest.ranges import SliceCut, cut_slices

ItemRow = tuple[object, ...]  # job id, seq, key, payload text; of the staging table also the row's id


@dataclass(slots=True)
class Portion:
    job_id: int
    slice_size: int
    chunks: Sequence[Chunk]
    lines: list[Line]  # in input order, without keys that come again in their chunk
    firsts: list[Line]  # the same sorted by key, each key once
    again: list[Line]  # those whose key an earlier chunk has
    row_ids: Sequence[int] | None  # of the staging table, a line each
    key_rows: list[KeyOfLine]  # of `firsts`
    rows: list[ItemRow]
    batches: list[list[int]]
    cuts: list[list[SliceCut]]

    def rows_of(self, owned: Sequence[Line]) -> list[ItemRow]:
        """Return the rows of the lines that became items."""
        if not owned:
            return []
        keys, seqs, _, payloads = zip(*owned, strict=True)
        rows = zip(repeat(self.job_id), seqs, keys, map(bytes.decode, payloads))
        if self.row_ids is None:
            return list(rows)
        first, ids = self.chunks[0].first_line, self.row_ids
        return [(*row, ids[row[1] - first]) for row in rows]

    def cut(self, owned: Sequence[Line]) -> tuple[list[list[int]], list[list[SliceCut]]]:
        """Return the seqs of each batch (a chunk with items), and its slices."""
        sizes = {seq: len(payload) for _, seq, _, payload in owned}
        batches: list[list[int]] = []
        cuts: list[list[SliceCut]] = []
        for chunk in self.chunks:
            repeats = [repeat[0] for repeat in chunk.repeats]
            seqs = [seq for seq in sorted([*chunk.seqs, *repeats]) if seq in sizes]
            if seqs:
                batches.append(seqs)
                cuts.append(cut_slices(seqs, [sizes[seq] for seq in seqs], self.slice_size))
        return batches, cuts

    def cut_all(self) -> None:
        """Cut the chunks as they are, where every line becomes an item."""
        for chunk in self.chunks:
            if chunk.seqs:
                self.batches.append(chunk.seqs)
                self.cuts.append(cut_slices(chunk.seqs, list(map(len, chunk.payloads)), self.slice_size))


def portion_of(
    keyring: Keyring, slice_size: int, chunks: Sequence[Chunk], row_ids: Sequence[int] | None = None
) -> Portion:
    lines: list[Line] = []
    for chunk in chunks:
        lines += zip(chunk.keys, chunk.seqs, chunk.hashes, chunk.payloads, strict=True)
    by_key = sorted(lines)
    distinct = len(set[str]().union(*(chunk.keys for chunk in chunks)))
    firsts, again = (by_key, []) if distinct == len(lines) else _firsts(by_key)
    key_rows = keyring.rows_of(firsts)
    portion = Portion(keyring.job_id, slice_size, chunks, lines, firsts, again, row_ids, key_rows, [], [], [])
    portion.rows = portion.rows_of(lines)
    portion.cut_all()
    return portion


def _firsts(lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """Part sorted lines of several chunks: the first of each key, and those that come again."""
    firsts: list[Line] = []
    again: list[Line] = []
    last = None
    for line in lines:
        if line[0] == last:
            again.append(line)
        else:
            firsts.append(line)
            last = line[0]
    return firsts, again
