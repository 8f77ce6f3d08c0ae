"""Which databases a test runs on, where it is not both."""

import pytest

from tests.conftest import CHOSEN


def on(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("database", [name for name in names if name in CHOSEN], indirect=True)
