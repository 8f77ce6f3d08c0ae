"""`python -m benchmarks [name…] [--items N] [--rounds R] [--deep] [--json]`."""

import argparse
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from batchanator.logs import configure_logging
from benchmarks.drain import drain, drain_sqlite
from benchmarks.fairness import behind, fairness
from benchmarks.figures import Report, conditions
from benchmarks.idle import idle
from benchmarks.ingestion import ingest_postgres, ingest_sqlite
from benchmarks.latency import latency
from benchmarks.loops import run
from benchmarks.memory import memory
from benchmarks.observed import observed
from benchmarks.process import process
from benchmarks.reads import reads
from benchmarks.rounds import Plan
from benchmarks.start import start

Bench = Callable[[Report, Plan], Coroutine[Any, Any, None]]
BENCHES: dict[str, Bench] = {
    "drain": drain,
    "ingest": ingest_postgres,
    "drain-sqlite": drain_sqlite,
    "ingest-sqlite": ingest_sqlite,
    "latency": latency,
    "start": start,
    "process": process,
    "observed": observed,
    "fairness": fairness,
    "idle": idle,
}
DEEP: dict[str, Bench] = {"reads": reads, "memory": memory, "behind": behind}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join((*BENCHES, *DEEP))}")
    parser.add_argument("--items", type=int, default=Plan.items)
    parser.add_argument("--rounds", type=int, default=Plan.rounds)
    parser.add_argument("--minutes", type=float, default=Plan.minutes, help="the most that a bench may take")
    parser.add_argument("--deep", action="store_true", help=f"also {', '.join(DEEP)}: filling takes minutes")
    parser.add_argument("--json", action="store_true", help="print JSON, the table on stderr")
    given = parser.parse_args()
    known = {**BENCHES, **DEEP}
    unknown = [name for name in given.names if name not in known]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
    names = given.names or list(known if given.deep else BENCHES)
    configure_logging("console", "warning")
    report, plan = Report(), Plan(given.items, given.rounds, given.minutes)
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        run(known[name](report, plan))
    print(", ".join(f"{key} {value}" for key, value in conditions().items()), file=sys.stderr)
    print(report.table(), file=sys.stderr if given.json else sys.stdout)
    if given.json:
        print(report.json())


if __name__ == "__main__":
    main()
