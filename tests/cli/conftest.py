import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import structlog
from click.testing import CliRunner, Result

from batchanator.cli import options
from batchanator.cli.main import cli
from tests.support.canaries import PASSWORD, sung

ROOT = Path(__file__).parents[2]
HANDLERS = ("--handlers", "tests.cli.demo_handlers")

Invoke = Callable[..., Result]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    """A directory of its own for each test, and no configuration but the defaults."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("BATCHANATOR_")]:
        if not name.startswith("BATCHANATOR_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture
def invoke(monkeypatch) -> Iterator[Invoke]:
    """Run a command in this process, without logs: configured for good, they would be so for other tests."""
    monkeypatch.setattr(options, "configure_logging", lambda *_: None)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))

    def run(*arguments: object, **options: Any) -> Result:
        result = CliRunner().invoke(cli, [str(one) for one in arguments], prog_name="batchanator", **options)
        assert PASSWORD not in result.output
        return result

    yield run
    structlog.reset_defaults()


@pytest.fixture
def start(tmp_path) -> Start:
    """Start `python -m batchanator …` as people do, in the test's directory."""

    def run(*arguments: object, **environ: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "batchanator", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


@pytest.fixture
def command(start) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run `python -m batchanator …` to its end."""

    def run(*arguments: object, **environ: str) -> "subprocess.CompletedProcess[str]":
        process = start(*arguments, **environ)
        out, err = process.communicate(timeout=60)
        assert not sung(out + err)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return run


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    """Write an NDJSON file; a dict is a line's object, bytes are the line as they are."""

    def lines(*parts: dict[str, object] | bytes, name: str = "mine.ndjson") -> Path:
        path: Path = tmp_path / name
        texts: list[bytes] = [part if isinstance(part, bytes) else orjson.dumps(part) for part in parts]
        path.write_bytes(b"".join(text + b"\n" for text in texts))
        return path

    return lines


def line(key: str, **payload: object) -> dict[str, object]:
    return {"idempotency_key": key, **payload}
