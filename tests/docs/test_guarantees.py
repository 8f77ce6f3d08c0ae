import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/guarantees.md").read_text("utf-8")


@pytest.mark.parametrize("page", ["docs/guarantees.md", "SECURITY.md"])
def test_every_test_that_a_promise_names_is_there(page: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / page).read_text("utf-8")))
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)\(", path.read_text("utf-8"))
    }
    assert named
    assert named <= there, f"{page} names tests that are not there: {sorted(named - there)}"


def test_every_file_that_a_guarantee_names_is_there() -> None:
    for path in re.findall(r"`(tests/[\w/]+\.py)`", TEXT):
        assert (ROOT / path).is_file(), path


def test_every_reject_code_is_documented() -> None:
    from batchanator.ingest.verdicts import RejectCode

    guide = (ROOT / "docs/ingestion.md").read_text("utf-8")
    assert [code for code in RejectCode if f"`{code}`" not in guide] == []


def test_every_link_of_the_readme_leads_somewhere() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", readme):
        assert (ROOT / target).exists(), target
