"""On SQLite a worker holds a file lock named by its incarnation: one that can be taken means that its process is dead.

So that kill -9 and a new start lose no lease. The folder is our own (0700), beside the database, never a shared /tmp.
"""

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

from filelock import FileLock, Timeout

YOUNG_SECONDS = 60.0


class AliveLocks:
    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._held: dict[str, FileLock] = {}

    def hold(self, incarnation: str) -> None:
        if self._folder is None:
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(self._path(self._folder, incarnation), mode=0o600, thread_local=False)
        lock.acquire(timeout=0)
        self._held[incarnation] = lock

    def drop(self, incarnation: str) -> None:
        lock = self._held.pop(incarnation, None)
        if lock is not None:
            lock.release(force=True)
            _remove(Path(lock.lock_file))

    def dead(self, incarnations: Iterable[str]) -> list[str]:
        """Return those whose lock file is there and free. One without a file is judged by its lease alone."""
        if self._folder is None:
            return []
        found = []
        for incarnation in incarnations:
            path = self._path(self._folder, incarnation)
            if incarnation in self._held or not os.path.lexists(path) or path.is_symlink():
                continue
            lock = FileLock(path, mode=0o600, thread_local=False)
            try:
                lock.acquire(timeout=0)
            except (Timeout, OSError):
                continue
            lock.release(force=True)
            found.append(incarnation)
        return found

    def forget(self, incarnations: Iterable[str]) -> None:
        """Remove the files of workers whose rows are gone."""
        if self._folder is None or not self._folder.is_dir():
            return
        known = {f"{incarnation}.lock" for incarnation in incarnations}
        for path in self._folder.glob("*.lock"):
            young = (
                time.time() - path.lstat().st_mtime < YOUNG_SECONDS
            )  # its worker may not have registered yet
            if path.name not in known and path.stem not in self._held and not young:
                _remove(path)

    @staticmethod
    def _path(folder: Path, incarnation: str) -> Path:
        return folder / f"{incarnation}.lock"


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # Windows keeps what another process has open
        path.unlink()
