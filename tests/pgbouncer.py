"""PgBouncer in front of a test server, sharing its sessions by transaction, where a `pgbouncer` is on PATH."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.postgres import PostgresServer

PROGRAM = shutil.which("pgbouncer")
_START_SECONDS = 10.0


class PgBouncer:
    """Like a server to whoever makes databases: their URLs lead through the pooler."""

    def __init__(self, server: PostgresServer, *, pool_size: int = 20, ignored: str = "") -> None:
        """`ignored`: start-up parameters that it swallows; it refuses the others that it does not know."""
        self.server = server
        self.templates: set[str] = set()
        self.port = _free_port()
        self._pool_size = pool_size
        self._ignored = ignored
        self._directory = Path(tempfile.mkdtemp(prefix="batchanator-pgbouncer-", dir="/tmp"))
        self._process: subprocess.Popen[bytes] | None = None

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

    def start(self) -> None:
        self.server.start()
        if self._process is not None and self._process.poll() is None:
            return
        assert PROGRAM is not None
        self._directory.chmod(0o755)
        file = self._directory / "pgbouncer.ini"
        file.write_text(
            f"[databases]\n* = host=127.0.0.1 port={self.server.port} user=postgres\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            "auth_type = any\npool_mode = transaction\nmax_client_conn = 500\n"
            f"default_pool_size = {self._pool_size}\nignore_startup_parameters = {self._ignored}\n",
            "utf-8",
        )
        root = sys.platform != "win32" and os.geteuid() == 0
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, str(file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user="nobody" if root else None,  # it refuses root
            )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        raise RuntimeError(f"PgBouncer did not start:\n{(self._directory / 'log').read_text()[-2000:]}")

    def restart(self) -> None:
        """End every connection, of both sides, at once."""
        self._end()
        self.start()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        self._end()
        shutil.rmtree(self._directory, ignore_errors=True)

    def url(self, direct: str) -> str:
        """Return the URL that leads to a database of the server through the pooler."""
        return direct.replace(f":{self.server.port}/", f":{self.port}/")

    def direct(self, url: str) -> str:
        return url.replace(f":{self.port}/", f":{self.server.port}/")

    def create_database(self, *, template: str | None = None) -> str:
        return self.url(self.server.create_database(template=template and f"{template}_{self.port}"))

    def register_template(self, name: str, url: str) -> None:
        database = url.rsplit("/", 1)[1]
        self.server.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
        )
        self.server.register_template(f"{name}_{self.port}", self.direct(url))
        self.templates.add(name)

    def drop_database(self, url: str) -> None:
        self.server.drop_database(self.direct(url))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
