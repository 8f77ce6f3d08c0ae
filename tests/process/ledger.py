"""The ledger that handlers write outside the database, and whether the database can explain each of its lines."""

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from tests.process.reading import Reader

Item = tuple[int, int]


class Line(NamedTuple):
    job: int
    seq: int
    fence: int
    attempt: int
    kind: str
    pid: int
    key: str


class Ledger:
    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[Line]:
        if not self.path.exists():
            return []
        lines = []
        for text in self.path.read_text("utf-8").splitlines():
            job, seq, fence, attempt, kind, pid, key = text.split(" ", 6)
            lines.append(Line(int(job), int(seq), int(fence), int(attempt), kind, int(pid), key))
        return lines

    def starts(self, job: int | None = None) -> dict[Item, list[Line]]:
        return self._of("start", job)

    def ends(self, job: int | None = None) -> dict[Item, list[Line]]:
        return self._of("end", job)

    def _of(self, kind: str, job: int | None) -> dict[Item, list[Line]]:
        found: dict[Item, list[Line]] = defaultdict(list)
        for line in self.lines():
            if line.kind == kind and (job is None or line.job == job):
                found[line.job, line.seq].append(line)
        return found


def assert_explained(ledger: Ledger, reader: Reader, *, in_order: bool = True) -> None:
    """Each start of an item stands on record: as its outcome, a failed attempt or a lapse, under its own fence.

    A fence starts an item once; a later start has a higher one (`in_order`: nobody woke after losing a lease); what
    started without an end lapsed or timed out; what succeeded did end under the fence that is on record.
    """
    records = _records(reader)
    starts, ends = ledger.starts(), ledger.ends()
    for item, lines in starts.items():
        fences = [line.fence for line in lines]
        assert len(set(fences)) == len(fences), f"{item} was started twice under one fence: {lines}"
        if in_order:
            assert fences == sorted(fences), f"{item} was started again with a lower fence: {lines}"
        ended = {line.fence for line in ends.get(item, ())}
        for fence in fences:
            assert records.explains(item, fence), f"nothing on record of {item} under fence {fence}"
            if fence not in ended:
                assert records.lapsed(item, fence) or fence in records.attempts[item], (
                    f"{item} started without an end under fence {fence}: no lapse"
                )
    for item, fence in records.successes():
        assert fence in {line.fence for line in ends.get(item, ())}, f"{item} never ended under {fence}"


class _Records:
    def __init__(self) -> None:
        self.attempts: dict[Item, set[int]] = defaultdict(set)
        self.outcomes: dict[Item, tuple[int, str]] = {}
        self.lapses: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        self.runs: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        self.items: list[Item] = []

    def lapsed(self, item: Item, fence: int) -> bool:
        return _covers(self.lapses[item[0]], item[1], fence)

    def explains(self, item: Item, fence: int) -> bool:
        outcome = self.outcomes.get(item)
        return (
            (outcome is not None and outcome[0] == fence)
            or fence in self.attempts[item]
            or self.lapsed(item, fence)
            or (outcome is None and _covers(self.runs[item[0]], item[1], fence))
        )

    def successes(self) -> list[tuple[Item, int]]:
        found = []
        for item in self.items:
            if item in self.outcomes:
                fence, status = self.outcomes[item]
                if status in {"succeeded", "skipped"}:
                    found.append((item, fence))
            else:
                found += [
                    (item, fence) for first, last, fence in self.runs[item[0]] if first <= item[1] <= last
                ]
        return found


def _covers(ranges: list[tuple[int, int, int]], seq: int, fence: int) -> bool:
    return any(first <= seq <= last and fence == one for first, last, one in ranges)


def _records(reader: Reader) -> _Records:
    outcomes, attempts, lapses, runs, items = reader.read(
        "SELECT job_id, seq, fence, status FROM outcomes",
        "SELECT job_id, seq, fence FROM attempts",
        "SELECT job_id, first_seq, last_seq, fence FROM lapses",
        "SELECT job_id, first_seq, last_seq, fence FROM runs WHERE status = 'succeeded'",
        "SELECT job_id, seq FROM items",
    )
    records = _Records()
    records.outcomes = {(job, seq): (fence, status) for job, seq, fence, status in outcomes}
    for job, seq, fence in attempts:
        records.attempts[job, seq].add(fence)
    for job, first, last, fence in lapses:
        records.lapses[job].append((first, last, fence))
    for job, first, last, fence in runs:
        records.runs[job].append((first, last, fence))
    records.items = [(job, seq) for job, seq in items]
    return records
