"""The end of the process: not held up by a handler's thread that does not come back."""

import os
import sys
import threading
from time import monotonic
from typing import NoReturn

from batchanator.app import loops

THREADS = ("handler", "ingest")  # how the threads are called that run what may never come back
_SECONDS = 0.5


def leave(code: int) -> NoReturn:
    """End with `code`. Python would wait for a stuck thread for ever; its work was given back, so nobody does."""
    if loops.stuck:
        _end(code)
    until = monotonic() + _SECONDS
    for thread in threading.enumerate():
        if thread.name.startswith(THREADS):
            thread.join(max(until - monotonic(), 0))
            if thread.is_alive():
                _end(code)
    sys.exit(code)


def _end(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
