"""docs/http.md tells of every route, problem, reject code and status that there is."""

import re
from pathlib import Path

import batchanator
from batchanator.api.access import ROLES
from batchanator.api.application import build
from batchanator.api.one_item import LINE_CODES, LINE_STATUSES
from batchanator.api.openapi.routes import ROUTES
from batchanator.api.parameters import ITEM_STATUSES, JOB_STATUSES
from batchanator.api.problems import KINDS
from batchanator.api.result_lines import FILTERS
from batchanator.app.serving import Serving
from batchanator.domain.reasons import NOTHING_SUCCEEDED
from batchanator.ingest.reading import SOURCE_GONE
from batchanator.ingest.verdicts import RejectCode
from tests.api.client import make_serving

PACKAGE = Path(batchanator.__file__).parent
TEXT = (Path(__file__).parents[2] / "docs" / "http.md").read_text("utf-8")


async def routes(serving: Serving) -> set[tuple[str, str]]:
    app = build(serving._service())
    found = set()
    for route in app.router.routes():
        assert route.resource is not None
        if route.method != "HEAD":
            found.add((route.method, route.resource.canonical))
    return found


async def test_every_route_is_documented_and_every_documented_one_is_there(
    sqlite_url: str, tmp_path: Path
) -> None:
    there = await routes(make_serving(sqlite_url, tmp_path))
    rows = re.findall(r"^\| `([A-Z]+) (/\S*)` \| (\S+) \|", TEXT, re.MULTILINE)
    assert {(method, path) for method, path, _ in rows} == there
    roles = {f"{method} {path}": role.replace("none", "nothing") for method, path, role in rows}
    assert roles == ROLES


def test_every_problem_is_documented_with_its_status() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", TEXT, re.MULTILINE))
    assert rows == {kind.name: str(kind.status) for kind in KINDS}


def test_every_reject_code_is_documented_in_order() -> None:
    section = TEXT.partition("## Rejects")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([a-z0-9_]+)` \|", section, re.MULTILINE) == list(RejectCode)


def test_every_status_is_documented() -> None:
    for status in {*JOB_STATUSES, *ITEM_STATUSES, *FILTERS, *LINE_STATUSES, *LINE_CODES}:
        assert f"`{status}`" in TEXT


def test_every_reason_of_a_job_is_documented() -> None:
    """Those that a source raises, or a stop is given, wherever they stand."""
    texts = [path.read_text("utf-8") for path in PACKAGE.rglob("*.py")]
    raised = {code for text in texts for code in re.findall(r'SourceError\(\s*"([a-z0-9_]+)"', text)}
    given = {code for text in texts for code in re.findall(r'reason_code="([a-z_]+)"', text)}
    assert len(raised) > 5
    assert len(given) > 1
    section = TEXT.partition("## Jobs")[2].partition("\n## ")[0]
    rows = re.findall(
        r"^\| (`[a-z0-9_`, ]+`) \|", section.partition("statusReasonCode` the same")[2], re.MULTILINE
    )
    documented = {code for row in rows for code in re.findall(r"`([a-z0-9_]+)`", row)}
    assert documented == raised | given | {SOURCE_GONE, NOTHING_SUCCEEDED}


def test_links_inside_lead_somewhere() -> None:
    titles = {title.lower().replace(" ", "-") for title in re.findall(r"^## (.*)$", TEXT, re.MULTILINE)}
    assert set(re.findall(r"\(#([a-z-]+)\)", TEXT)) <= titles


def test_every_route_is_described_by_the_openapi_document() -> None:
    assert set(ROUTES) == set(ROLES)
