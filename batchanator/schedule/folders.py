"""The files in a folder below a source root."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

from batchanator.domain.errors import NotFoundError


def files_in(folder: str, pattern: str, roots: Sequence[Path]) -> list[str]:
    """Return the paths of files whose names fit, in order of name: absolute, as a source root knows them.

    Raises:
        NotFoundError: there is no such folder under a source root, or a symlink leads to it.
    """
    place = _place(folder, roots)
    try:
        names = sorted(entry.name for entry in place.iterdir() if fnmatchcase(entry.name, pattern))
    except OSError:
        raise NotFoundError("the folder cannot be read") from None
    return [str(place / name) for name in names]


def _place(folder: str, roots: Sequence[Path]) -> Path:
    below = PurePath(folder)
    if "\0" not in folder and ".." not in below.parts:
        for root in roots:
            try:
                real = root.resolve(strict=True)
                wanted = real / (below.relative_to(root.absolute()) if below.is_absolute() else below)
                if wanted.resolve(strict=True) == wanted and wanted.is_relative_to(real) and wanted.is_dir():
                    return wanted
            except (OSError, ValueError, RuntimeError):
                continue
    raise NotFoundError("no such folder under a source root")
