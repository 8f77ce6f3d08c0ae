"""What a test prints or logs is listened to for secrets."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.canaries import PAYLOAD, sung

ROOT = Path(__file__).parents[1]


def test_canaries_are_heard() -> None:
    assert sung(f"a {PAYLOAD} sings") == sung(f"a {PAYLOAD} sings".encode()) == [PAYLOAD]
    assert sung("silence") == []


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_test_that_lets_one_out_fails(tmp_path: Path, stream: str) -> None:
    script = tmp_path / "test_leak.py"
    script.write_text(f"import sys\n\ndef test_leak():\n    print({PAYLOAD!r}, file=sys.{stream})\n")
    (tmp_path / "leak.ini").write_text("[pytest]\n")
    options = ["-q", "-p", "tests.conftest", "-p", "no:cacheprovider", "-c", "leak.ini"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "1 passed, 1 error" in ended.stdout
