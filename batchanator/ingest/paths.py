"""Open a file named by a client: a regular file below a configured root, or the one error that tells nothing.

Where the platform can, every component is opened relative to its directory's descriptor and no symlink is
followed, so that nothing swapped meanwhile can lead outside. Elsewhere the path is resolved and compared.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, BinaryIO, Final

from batchanator.domain.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BENEATH: Final = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_COMMON: Final = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
_FILE: Final = os.O_RDONLY | getattr(os, "O_BINARY", 0) | _COMMON
_DIRECTORY: Final = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | _COMMON

_OUR_FAULT: Final = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}  # says nothing about the path


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """What must stay the same while a file is read. `path` is for people: below the root, with slashes.

    `root` is the source root that it was found under: a process with other roots leaves it to those with this one.
    """

    root: str
    path: str
    host: str
    device: int
    inode: int
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class OpenFile:
    """An open, unbuffered regular file. `location` is where it was found: never shown to a client."""

    file: BinaryIO
    identity: FileIdentity
    location: Path


def resolve(path: str, roots: Sequence[Path]) -> OpenFile:
    """Open `path`, absolute or relative to the roots in their order.

    Raises:
        NotFoundError: for whatever is not a readable regular file below a root, always with the same words.
    """
    for root, parts in _candidates(path, roots):
        try:
            descriptor = _open_beneath(root, parts) if _BENEATH else _open_compared(root, parts)
        except (ValueError, RuntimeError):  # not a regular file, a name that no file can have, a loop
            continue
        except OSError as error:
            if error.errno in _OUR_FAULT:
                raise
            continue
        return _opened(descriptor, root, parts)
    raise NotFoundError("no such file under a source root")


def _candidates(path: str, roots: Sequence[Path]) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Yield resolved roots with the path's components below each; `..` never is one."""
    if "\0" in path or "://" in path or path.endswith(("/", os.sep)):
        return
    pure = PurePath(path)
    for root in roots:
        try:
            real = root.resolve(strict=True)
        except (OSError, RuntimeError):  # RuntimeError: a loop of symlinks, before Python 3.13
            continue
        below = pure
        if pure.is_absolute():
            base = next((base for base in (root.absolute(), real) if pure.is_relative_to(base)), None)
            if base is None:
                continue
            below = pure.relative_to(base)
        if below.parts and not below.anchor and ".." not in below.parts:
            yield real, below.parts


def _open_beneath(root: Path, parts: tuple[str, ...]) -> int:
    directory = os.open(root, _DIRECTORY)
    try:
        for part in parts[:-1]:
            inner = os.open(part, _DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory = inner
        return _regular(os.open(parts[-1], _FILE, dir_fd=directory))
    finally:
        os.close(directory)


def _open_compared(root: Path, parts: tuple[str, ...]) -> int:
    """The way without directory descriptors (Windows): no link, drive, device or stream (`name:stream`)."""
    wanted = root.joinpath(*parts)
    if (
        any(":" in part for part in parts)
        or wanted.resolve(strict=True) != wanted
        or not wanted.is_relative_to(root)
    ):
        raise ValueError(wanted)
    if not stat.S_ISREG(wanted.lstat().st_mode):
        raise ValueError(wanted)
    return _regular(os.open(wanted, _FILE))


def _regular(descriptor: int) -> int:
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise ValueError(descriptor)


def _opened(descriptor: int, root: Path, parts: tuple[str, ...]) -> OpenFile:
    status = os.fstat(descriptor)
    identity = FileIdentity(
        root=str(root),
        path="/".join(parts),
        host=socket.gethostname(),
        device=status.st_dev,
        inode=status.st_ino,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
    )
    return OpenFile(os.fdopen(descriptor, "rb", buffering=0), identity, root.joinpath(*parts))
