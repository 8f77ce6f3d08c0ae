"""docs/configuration.md lists every setting, and its examples work."""

import re
from pathlib import Path

import pytest

from batchanator.settings import documented_settings

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")


def test_the_table_lists_exactly_the_settings():
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \| `(.+?)` \| (.+?) \|$", PAGE, re.MULTILINE)
    assert rows == [tuple(row) for row in documented_settings()]


def test_every_setting_has_a_meaning():
    for row in documented_settings():
        assert row.meaning.endswith("."), row.name
        assert len(row.meaning) < 120, row.name


@pytest.mark.parametrize("kind", ["json", "toml"])
def test_the_pages_example_is_a_configuration(load, kind):
    (example,) = re.findall(rf"```{kind}\n(.+?)```", PAGE, re.DOTALL)
    settings = load(example, name=f"batchanator.{kind}")
    assert settings.handlers == ("shop.handlers",)
    assert settings.job_types["resize-image"].slice_size == 5
    assert settings.database_url.startswith("postgresql://worker")
    assert settings.maintenance.dead_letter_retry is not None


def test_the_projects_own_configuration_is_one(load):
    own = Path(__file__).parents[2] / "batchanator.json"
    assert load(own.read_bytes()).handlers == ("samples.handlers",)


def test_the_example_of_the_page_on_cron_is_a_configuration(load):
    page = (Path(__file__).parents[2] / "docs" / "cron.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(.+?)```", page, re.DOTALL)
    settings = load(example)
    assert [job.title for job in settings.scheduled_ingestion_jobs] == [
        *("email-notification", "data-sync inbox", "nightly reports")
    ]
    assert settings.maintenance.dead_letter_retry is not None
