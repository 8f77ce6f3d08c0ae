"""A database, a folder of sources, processes that work on them, and what they leave behind."""

import asyncio
import json
import multiprocessing
import os
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from batchanator.app.parts import Parts
from batchanator.app.runtime import Runtime
from batchanator.domain.submission import Entry, JobOptions
from batchanator.handlers.registry import Registry
from batchanator.settings import Settings
from tests.process.child import STOP, Order, enter
from tests.process.handlers import GATE, LEDGER
from tests.process.ledger import Ledger, assert_explained
from tests.process.polling import pass_time, until
from tests.process.reading import Reader, Rows, change, is_sqlite, is_unlocked
from tests.support.checking import assert_verified

T = TypeVar("T")
LIFE = 150.0
SHORT_LEASE = 0.03  # minutes
SETTINGS: Mapping[str, Any] = {
    "lock_timeout_minutes": SHORT_LEASE,
    "polling_interval_seconds": 0.1,
    "max_retry_delay_seconds": 0.1,
    "shutdown_grace_seconds": 2,
    "chunk_size": 40,
    "processing_batch_size": 10,
}
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.process.child", "tests.process.handlers"])
_REGISTRY = Registry.load(["tests.process.handlers"], entry_points=False)


class Child:
    """A process of the service that this test started, and ends."""

    def __init__(
        self,
        order: Order,
        environment: Mapping[str, str],
        log: Path,
        is_writable: Callable[[], bool],
    ) -> None:
        self._log = log
        self._is_writable = is_writable
        for path in (log, log.with_suffix(".out")):
            path.touch()
        self.process = _FORKS.Process(target=enter, args=(order, environment, log), daemon=True)
        self.process.start()
        assert self.process.pid is not None
        self.pid = self.process.pid

    @property
    def out(self) -> str:
        return self._log.with_suffix(".out").read_text("utf-8")

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = [line for line in self.log.splitlines() if f'"{name}"' in line]
        return [event for event in map(json.loads, lines) if event.get("event") == name]

    def wait_ready(self, seconds: float = 40) -> None:
        """Wait until everything runs, or the process has ended at a stop-point before that."""
        until(lambda: "ready" in self.out or self.has_ended(), "the process is ready", seconds=seconds)

    def has_ended(self) -> bool:
        return self.process.exitcode is not None

    def is_stopped(self) -> bool:
        """Tell whether SIGSTOP has reached every thread (Linux)."""
        states = [path.read_text() for path in Path(f"/proc/{self.pid}/task").glob("*/stat")]
        return all(state.rpartition(")")[2].split()[0] == "T" for state in states)

    def wait_stopped(self, seconds: float = 30) -> None:
        """Wait until it has stopped itself, with no lock on SQLite's file: nobody could take over from that."""
        until(self.is_stopped, "the process has stopped", seconds=seconds)
        while not self._is_writable():
            os.kill(self.pid, signal.SIGCONT)
            pass_time(0.01)
            until(self.is_stopped, "the process has stopped again", seconds=seconds)

    def kill(self) -> None:
        self.process.kill()
        self.process.join(20)

    def pause(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)
        until(self.is_stopped, "the process has stopped")
        while not self._is_writable():
            os.kill(self.pid, signal.SIGCONT)
            pass_time(0.01)
            os.kill(self.pid, signal.SIGSTOP)
            until(self.is_stopped, "the process has stopped again")

    def go_on(self) -> None:
        self._log.with_suffix(".go").touch()
        os.kill(self.pid, signal.SIGCONT)

    def terminate(self) -> None:
        self.process.terminate()

    def wait(self, seconds: float = 30) -> int:
        """Return the exit code, negative where a signal ended it."""
        until(self.has_ended, f"process {self.pid} has ended", seconds=seconds)
        assert self.process.exitcode is not None
        return self.process.exitcode

    def stop(self, seconds: float = 15) -> None:
        """End it like the service: SIGTERM, exit code 0."""
        self.terminate()
        assert self.wait(seconds) == 0
        assert "stopped" in self.out


class Gate:
    """Lets the handlers of "gate" wait until it is opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        os.mkfifo(path, 0o600)
        self._held: int | None = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def open(self) -> None:
        if self._held is not None:
            self._path.unlink()  # first, so that whoever opened it before sees its other end close
            os.close(self._held)
            self._held = None


class Scene:
    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.ledger = Ledger(folder / "ledger")
        self.gate = Gate(folder / "gate")
        self.children: list[Child] = []
        self._reader = Reader(url)

    @property
    def on_sqlite(self) -> bool:
        return is_sqlite(self.url)

    # -- processes ---------------------------------------------------------------------------------------------

    @property
    def restart_lease(self) -> float:
        """Return a lease, in minutes, for a process that is killed: SQLite knows the dead without waiting for it."""
        return 5 if self.on_sqlite else SHORT_LEASE

    def settings(self, **changes: Any) -> dict[str, Any]:
        return {**SETTINGS, "database": self.url, **changes}

    def start(
        self,
        *,
        stop_at: str = "",
        dispatch: bool = True,
        ingest: bool = True,
        schedule: bool = False,
        ready: bool = True,
        then: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> Child:
        """Start a process; with `ready`, wait until it runs or has ended at a stop-point."""
        parts = Parts(dispatch=dispatch, ingest=ingest, schedule=schedule)
        order = Order(self.settings(**settings), (self.folder,), parts, LIFE, then or {})
        environment = {LEDGER: str(self.ledger.path), GATE: str(self.folder / "gate"), STOP: stop_at}
        child = Child(
            order, environment, self.folder / f"child-{len(self.children) + 1}.log", self.is_writable
        )
        self.children.append(child)
        if ready:
            child.wait_ready()
        return child

    def use(
        self, work: Callable[[Runtime], Awaitable[T]], *, parts: Parts | None = None, **settings: Any
    ) -> T:
        """Run `work` on a runtime of this process; by default one that neither dispatches nor ingests."""

        async def used() -> T:
            runtime = Runtime(
                Settings.model_validate(self.settings(**settings)),
                _REGISTRY,
                (self.folder,),
                parts or Parts(dispatch=False, ingest=False),
            )
            await runtime.open()
            try:
                await runtime.start()
                return await work(runtime)
            finally:
                await runtime.stop()

        return asyncio.run(used())

    # -- work --------------------------------------------------------------------------------------------------

    def write(self, name: str, lines: Iterable[str]) -> Path:
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        return path

    def submit_file(self, job_type: str, name: str, **options: Any) -> int:
        async def submit(runtime: Runtime) -> int:
            given = JobOptions(**options)
            job = await runtime.submitter.file(job_type, name, name=None, options=given, request=None)
            return job.job_id

        return self.use(submit)

    def submit(
        self, job_type: str, works: Sequence[Mapping[str, Any]], *, prefix: str = "k", **options: Any
    ) -> int:
        """Submit direct items, the nth with the key `prefix`-n from 1."""
        entries = [
            Entry(f"{prefix}-{number}", json.dumps(work).encode()) for number, work in enumerate(works, 1)
        ]

        async def submit(runtime: Runtime) -> int:
            given = JobOptions(**options)
            job = await runtime.submitter.items(job_type, entries, name=None, options=given, request=None)
            return job.job_id

        return self.use(submit)

    # -- what became of it -------------------------------------------------------------------------------------

    def read(self, query: str) -> Rows:
        return self._reader.read(query)[0]

    def value(self, query: str) -> Any:
        return self.read(query)[0][0]

    def is_writable(self) -> bool:
        """Tell whether nobody holds SQLite's one lock for writing."""
        return not self.on_sqlite or is_unlocked(self.url)

    def change(self, command: str) -> None:
        change(self.url, command)

    def open_jobs(self) -> list[Any]:
        return self.read("SELECT id, status FROM jobs WHERE ended_at IS NULL ORDER BY id")

    def wait_ended(self, seconds: float = 40) -> None:
        """Wait until every job has ended."""
        until(lambda: not self.open_jobs(), "every job has ended", seconds=seconds)

    def wait_started(self, count: int, *, seconds: float = 30) -> None:
        until(lambda: len(self.ledger.starts()) >= count, f"{count} items have started", seconds=seconds)

    def wait_lines(self, count: int) -> None:
        """Wait until the ledger has exactly so many lines."""
        until(lambda: len(self.ledger.lines()) == count, f"the ledger has {count} lines")

    def wait_lapses(self, count: int) -> None:
        until(lambda: len(self.lapses()) == count, f"{count} lapses are on record")

    def succeeded(self) -> int:
        return int(self.value("SELECT coalesce(sum(succeeded), 0) FROM batches"))

    def wait_succeeded(self, count: int) -> None:
        until(lambda: self.succeeded() >= count, f"{count} items have succeeded", seconds=60)

    def statuses(self, job: int) -> dict[str, int]:
        """Return how many items of a job stand where."""
        return dict(
            self.read(f"SELECT status, count(*) FROM batch_items WHERE job_id = {job} GROUP BY status")
        )

    def lapses(self) -> list[Any]:
        return self.read(
            "SELECT job_id, first_seq, fence, kind, worker FROM lapses ORDER BY job_id, first_seq, fence"
        )

    def attempts(self) -> list[Any]:
        return self.read("SELECT job_id, seq, attempt, code FROM attempts ORDER BY job_id, seq, attempt")

    def assert_sound(self, *, in_order: bool = True) -> None:
        """Check all invariants, the ledger against what is on record, and SQLite's file."""
        asyncio.run(assert_verified(self.url))
        assert_explained(self.ledger, self._reader, in_order=in_order)
        if self.on_sqlite:
            assert self.read("PRAGMA integrity_check") == [("ok",)]

    def assert_each_ran_once(self) -> None:
        started = sorted(item for item, lines in self.ledger.starts().items() for _ in lines)
        assert started == sorted(self.read("SELECT job_id, seq FROM items"))

    def end(self) -> None:
        """End what still runs."""
        self.gate.open()
        self._reader.close()
        for child in self.children:
            if not child.has_ended():
                child.kill()

    def report(self) -> str:
        """Return the end of every process's log."""
        tails = [f"--- process {child.pid}\n{child.log[-4000:]}" for child in self.children]
        return "\n".join(tails)
