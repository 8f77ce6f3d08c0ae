"""docs/stop-points.md is the list of the code's stop-points, and of the tests that stop there."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]
CALL = re.compile(r'await probe\(\s*"([a-z_.]+)"\s*\)')
ROW = re.compile(r"^\| `([a-z_.]+)` \| .+ \| (.+) \|$", re.MULTILINE)


def in_code() -> set[str]:
    return {
        name
        for path in (ROOT / "batchanator").rglob("*.py")
        for name in CALL.findall(path.read_text("utf-8"))
    }


def listed() -> dict[str, list[str]]:
    rows = ROW.findall((ROOT / "docs" / "stop-points.md").read_text("utf-8"))
    assert len(rows) == len(dict(rows)), "a stop-point is listed twice"
    return {name: re.findall(r"`([a-z_]+\.py)`", tests) for name, tests in rows}


def test_every_stop_point_is_listed_and_none_that_is_not_there() -> None:
    assert sorted(listed()) == sorted(in_code())


def test_every_stop_point_is_stopped_at_by_the_tests_that_are_listed() -> None:
    for name, tests in listed().items():
        assert tests, name
        for test in tests:
            assert f'"{name}' in (Path(__file__).parent / test).read_text("utf-8"), f"{name} is not in {test}"


def test_every_call_of_a_probe_names_its_stop_point() -> None:
    """A name that is put together could not be found, nor listed."""
    for path in (ROOT / "batchanator").rglob("*.py"):
        text = path.read_text("utf-8")
        assert text.count("await probe(") == len(CALL.findall(text)), path.name
