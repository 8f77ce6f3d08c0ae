import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from batchanator.logs import configure_logging


@pytest.fixture
def logged(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """All that goes to stdout and stderr, logs of every level among it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging("json", "debug")
    structlog.configure(cache_logger_on_first_use=False)  # or the modules' loggers would log so for good

    def read() -> str:
        captured = capfd.readouterr()
        return captured.out + captured.err

    yield read
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
