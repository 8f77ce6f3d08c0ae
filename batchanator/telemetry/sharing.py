"""Processes that answer on one port: whichever is asked, the numbers are of all of them, in files that they share."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def shared_metrics() -> Iterator[Path]:
    """Give processes that are started meanwhile a fresh folder for their numbers; it is gone afterwards."""
    before = os.environ.get(_VARIABLE)
    with tempfile.TemporaryDirectory(prefix="batchanator-metrics-", ignore_cleanup_errors=True) as folder:
        os.environ[_VARIABLE] = folder
        try:
            yield Path(folder)
        finally:
            if before is None:
                del os.environ[_VARIABLE]
            else:
                os.environ[_VARIABLE] = before


def shared_folder() -> Path | None:
    """Return where this process adds its numbers to those of others; None where it is alone."""
    folder = os.environ.get(_VARIABLE)
    return Path(folder) if folder else None


def forget_process(folder: Path, pid: int) -> None:
    """Take a dead process out of what is the case now; what it counted stays counted."""
    mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
