"""A file as a person at a terminal names it, and the roots under which it is found again."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from batchanator.domain.errors import ConflictError, NotFoundError
from batchanator.ingest.paths import FileIdentity, resolve
from batchanator.settings import Settings, source_roots
from batchanator.store.driver import Row
from batchanator.store.store import Store


@dataclass(frozen=True, slots=True)
class NamedFile:
    """`path` is where the file really is, symlinks followed; `name` is what it was called."""

    path: Path
    name: str

    def roots(self, settings: Settings) -> tuple[Path, ...]:
        """Return the configured roots, so that a serving process can read on, and the file's own directory."""
        configured = [root for root in source_roots(settings, Path.cwd()) if root.is_dir()]
        return (*configured, self.path.parent)


def named_file(given: str) -> NamedFile:
    """Return a readable regular file. Raises NotFoundError, which says what is wrong with it."""
    try:
        path = Path(given).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        raise NotFoundError(f"{given}: no such file") from None
    if path.is_dir():
        raise NotFoundError(f"{given} is a directory; name one file")
    if not path.is_file():
        raise NotFoundError(f"{given} is not a regular file, and only those can be read again; save it first")
    if not os.access(path, os.R_OK):
        raise NotFoundError(f"{given} cannot be read: permission denied")
    return NamedFile(path, Path(given).name)


async def check_resumable(store: Store, job_id: int, file: NamedFile, job_type: str) -> None:
    """Raise where an unfinished job is not one of this file and type, or cannot go on with it."""
    job = await store.jobs.get(job_id)
    if job is None:
        raise NotFoundError(f"there is no job {job_id}")
    if job["ended_at"] is not None:
        raise ConflictError(f"job {job_id} has ended: it is {job['status']}")
    if job["job_type"] != job_type:
        raise ConflictError(f"job {job_id} is of type {job['job_type']}, not {job_type}")
    if job["source_kind"] != "file" or job["source_name"] not in {file.path.name, file.name}:
        raise ConflictError(f"job {job_id} reads {job['source_name']}, not {file.name}")


async def unfinished_job(store: Store, file: NamedFile, job_type: str) -> Row | None:
    """Return the oldest live job of this very file and type, unchanged since; None where there is none."""
    now = _identity(file)
    for job in await store.jobs.live_of_files(job_type=job_type):
        then = FileIdentity(**msgspec.json.decode(job["source"]))
        if Path(then.root, then.path) == file.path and replace(then, root=now.root, path=now.path) == now:
            return job
    return None


def _identity(file: NamedFile) -> FileIdentity:
    opened = resolve(file.path.name, [file.path.parent])
    opened.file.close()
    return opened.identity


async def root_of(store: Store, job_id: int, file: NamedFile, job_type: str) -> Path | None:
    """Return the root from which a live job named its file; None where that lies elsewhere now."""
    for job in await store.jobs.live_of_files(job_type=job_type):
        if job["id"] == job_id:
            source: Mapping[str, Any] = msgspec.json.decode(job["source"])
            return _root(file.path, PurePosixPath(source["path"]))
    return None


def _root(path: Path, below: PurePosixPath) -> Path | None:
    parts = below.parts
    if path.parts[-len(parts) :] != parts:
        return None
    return Path(*path.parts[: -len(parts)])
