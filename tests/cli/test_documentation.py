"""docs/cli.md has every command and every option, and no other."""

import re

import click
import pytest

from batchanator.cli.main import SECTIONS, cli
from tests.cli.conftest import ROOT

PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
COMMON, *PARTS = re.split(r"^### ", PAGE, flags=re.MULTILINE)
CHAPTERS = {part.split("\n", 1)[0].strip(): part for part in PARTS}
LISTED = {listed.name: listed.line for section in SECTIONS.values() for listed in section}


def command(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


def flags(name: str) -> set[str]:
    parameters = [one for one in command(name).params if isinstance(one, click.Option)]
    return {flag for one in parameters for flag in [*one.opts, *one.secondary_opts]}


def test_every_command_has_its_chapter_and_no_other():
    assert list(CHAPTERS) == list(LISTED)


def test_the_chapters_stand_in_the_sections_of_the_help():
    titles = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert titles == ["Options that many commands have", *SECTIONS]


@pytest.mark.parametrize("name", LISTED)
def test_every_option_is_documented_and_exists(name):
    known = flags(name)
    written = set(re.findall(r"(--[a-z][a-z-]*)", CHAPTERS[name]))
    common = set(re.findall(r"(--[a-z][a-z-]*)", COMMON))
    assert known <= written | common
    everyone = set().union(*(flags(other) for other in LISTED))
    assert written <= known | (everyone if "`--json` writes" in CHAPTERS[name] else set())


@pytest.mark.parametrize("name", LISTED)
def test_the_table_of_common_options_says_who_has_them(name):
    for row in re.findall(r"^\| (`--.+?) \| (.+?) \|", COMMON, re.MULTILINE):
        whole = not row[1].startswith("all but") and row[1] != "all"
        names = set(re.findall(r"`([a-z-]+)`", row[1]))
        has = name in names if whole else name not in names
        for flag in re.findall(r"--[a-z-]+", row[0]):
            assert (flag in flags(name)) == has, (name, flag)


@pytest.mark.parametrize("name", LISTED)
def test_every_command_and_option_has_a_meaning(name):
    found = command(name)
    assert found.help
    for option in found.params:
        if isinstance(option, click.Option):
            assert option.help, (name, option.name)
            assert option.help.endswith("."), (name, option.name)
