"""Microsoft's own T-SQL grammar: ScriptDom, out of two wheels of PyPI, in a process of its own.

mssql-cli carries the library and dotnetcore2 the runtime that it needs. What else they depend on fits nobody
beside them, so they are not installed but unpacked into `build/tsql`, once, checked by their hashes.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "tsql"
REQUIREMENTS = Path(__file__).with_name("tsql-requirements.txt")
_DOWNLOAD_SECONDS = 600


class GrammarError(RuntimeError):
    """The grammar cannot be run here. Never a reason to pass."""


def errors_of(texts: Mapping[str, str]) -> dict[str, list[str]]:
    """Return by name what is wrong with each text: `line:column message`."""
    folder = _unpacked()
    script = Path(__file__).with_name("tsql_parser.py")
    done = subprocess.run(
        [sys.executable, str(script), str(folder)],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise GrammarError(f"Microsoft's grammar does not run here:\n{done.stderr[-2000:]}")
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def _unpacked() -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    done = FOLDER / "unpacked"
    with FileLock(FOLDER / "lock"):
        if not done.exists() or done.read_text("utf-8") != REQUIREMENTS.read_text("utf-8"):
            _unpack()
            done.write_text(REQUIREMENTS.read_text("utf-8"), "utf-8")
    return FOLDER


def _unpack() -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    target = [
        "--no-compile",
        "--upgrade",
        "--only-binary=:all:",
        "--require-hashes",
        "--target",
        str(FOLDER),
        "-r",
        str(REQUIREMENTS),
    ]
    run = subprocess.run(
        [*pip, *target], capture_output=True, text=True, timeout=_DOWNLOAD_SECONDS, check=False
    )
    if run.returncode:
        raise GrammarError(f"The wheels with Microsoft's grammar could not be had:\n{run.stderr[-2000:]}")
