from collections.abc import Callable
from pathlib import Path

import pytest

from batchanator.domain.errors import SettingsError
from batchanator.settings import Settings, load_settings


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Settings]:
    """Load settings in an empty directory, from a file's text, an environment and a command line."""

    def _load(
        file: str | bytes = "", *, name: str = "batchanator.json", environ=None, **overrides
    ) -> Settings:
        if file:
            (tmp_path / name).write_bytes(file if isinstance(file, bytes) else file.encode())
        return load_settings(cwd=tmp_path, environ=environ or {}, overrides=overrides)

    return _load


@pytest.fixture
def refusal(load) -> Callable[..., str]:
    """Return the one line with which settings are refused."""

    def _refusal(*args, **kwargs) -> str:
        with pytest.raises(SettingsError) as caught:
            load(*args, **kwargs)
        line = str(caught.value)
        assert line.isprintable()
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        return line

    return _refusal
