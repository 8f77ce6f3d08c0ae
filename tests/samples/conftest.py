from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def outbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BATCHANATOR_SAMPLES_OUTBOX", str(tmp_path / "out"))
    return tmp_path / "out"
