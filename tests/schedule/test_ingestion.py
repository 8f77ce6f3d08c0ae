"""Each version of a file is submitted once, whoever looks, and one file that is amiss holds up no other."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from batchanator.app.scheduling import version_of
from batchanator.domain.errors import NotFoundError, UnknownJobTypeError
from batchanator.domain.submission import JobOptions
from batchanator.ingest.submitting import Submitter
from batchanator.schedule.folders import files_in
from batchanator.schedule.ingestion import SETTLED_SECONDS, Files, Look, StagingTable, Version
from tests.contract.world import World

OPTIONS = JobOptions(strict=True)


class Ledger:
    """The database, and what schedulers have submitted to it."""

    def __init__(self, world: World, root: Path) -> None:
        self.world = world
        self.root = root
        self.submitter = Submitter(world.store, world.wakeups, roots=[root], chunk_size=10)

    async def jobs(self) -> list[str]:
        rows = await self.world.fetch("SELECT source_name, options FROM jobs ORDER BY id")
        assert all(json.loads(row["options"])["strict"] is True for row in rows)
        return [row["source_name"] for row in rows]

    def table(self, job_type: str = "mail") -> StagingTable:
        return StagingTable(self.submitter, job_type, OPTIONS)

    def look(self, path: str) -> Version:
        return version_of("a job", [self.root], path)

    def folder(self, look: Look | None = None) -> Files:
        listing = partial(files_in, "in", "*.ndjson", [self.root])
        look = look or self.look
        return Files(self.submitter, "mail", OPTIONS, listing=listing, look=look, all_must_be_there=False)

    def file(self, path: str) -> Files:
        return Files(
            self.submitter, "mail", OPTIONS, listing=lambda: [path], look=self.look, all_must_be_there=True
        )


@pytest.fixture
async def ledger(sqlite_url: str, root: Path) -> AsyncIterator[Ledger]:
    world = await World.begin(sqlite_url)
    await world.job_type("mail")
    yield Ledger(world, root)
    await world.end()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "in").mkdir(parents=True)
    return tmp_path / "root"


def write(path: Path, text: str = "{}", *, age: float = 100) -> Path:
    path.write_text(text)
    moment = time.time() - age
    os.utime(path, (moment, moment))
    return path


async def test_the_staging_table_is_triggered_where_something_is_pending(ledger: Ledger) -> None:
    assert await ledger.table().run() == "nothing was pending"
    await ledger.world.fetch(
        "INSERT INTO pending_work (job_type, idempotency_key, payload) VALUES ('mail', 'a', '{}')"
    )
    assert await ledger.table().run() == "job 1"
    with pytest.raises(UnknownJobTypeError):
        await ledger.table("fax").run()
    assert await ledger.jobs() == ["pending_work"]


async def test_every_file_that_fits_is_submitted_once_in_order_of_name(ledger: Ledger) -> None:
    for name in ("b.ndjson", "a.ndjson", "c.txt"):
        write(ledger.root / "in" / name)
    files = ledger.folder()
    assert await files.run() == "jobs 1, 2"
    assert await files.run() == "nothing was new"
    assert await ledger.jobs() == ["a.ndjson", "b.ndjson"]


async def test_what_this_scheduler_has_submitted_is_not_asked_for_again(ledger: Ledger, root: Path) -> None:
    write(root / "in" / "a.ndjson")
    files = ledger.folder()
    assert await files.run() == "job 1"
    await ledger.world.fetch("UPDATE jobs SET request_key = NULL")  # the database would not know
    assert await files.run() == "nothing was new"
    (root / "in" / "a.ndjson").unlink()
    await files.run()
    write(root / "in" / "a.ndjson", age=200)
    assert await files.run() == "job 2"


async def test_another_scheduler_finds_what_the_first_has_submitted(ledger: Ledger, root: Path) -> None:
    write(root / "in" / "a.ndjson")
    done = await asyncio.gather(*(ledger.folder().run() for _ in range(5)))
    assert sorted(done) == ["job 1", *["nothing was new"] * 4]
    assert await ledger.jobs() == ["a.ndjson"]


@pytest.mark.parametrize("how", ["size", "time", "inode"])
async def test_a_file_that_changed_is_submitted_again(ledger: Ledger, root: Path, how: str) -> None:
    path = write(root / "in" / "a.ndjson")
    files = ledger.folder()
    assert await files.run() == "job 1"
    status = path.stat()
    if how == "inode":
        path.rename(root / "old")
    path.write_text("{}" if how != "size" else "{}\n")
    moment = status.st_mtime_ns + (1 if how == "time" else 0)
    os.utime(path, ns=(moment, moment))
    assert await files.run() == "job 2"
    assert await files.run() == "nothing was new"


async def test_a_file_that_may_still_be_written_waits_for_the_next_time(ledger: Ledger, root: Path) -> None:
    path = write(root / "in" / "a.ndjson", age=SETTLED_SECONDS / 2)
    files = ledger.folder()
    assert await files.run() == "1 changed just now and waits for the next time"
    write(path, age=SETTLED_SECONDS + 1)
    assert await files.run() == "job 1"


async def test_a_file_that_goes_while_it_is_looked_at_holds_up_no_other(ledger: Ledger, root: Path) -> None:
    for name in ("a.ndjson", "b.ndjson"):
        write(root / "in" / name)

    def look(path: str) -> Version:
        found = ledger.look(path)
        if path.endswith("a.ndjson"):
            Path(path).unlink()
        return found

    files = ledger.folder(look)
    assert await files.run() == "job 1"
    assert await ledger.jobs() == ["b.ndjson"]


async def test_many_jobs_are_told_in_few_words(ledger: Ledger, root: Path) -> None:
    for number in range(12):
        write(root / "in" / f"{number:02}.ndjson")
    assert await ledger.folder().run() == "jobs 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more"


async def test_a_single_file_is_submitted_whenever_it_is_another_and_must_be_there(
    ledger: Ledger, root: Path
) -> None:
    files = ledger.file("in/x.csv")
    with pytest.raises(NotFoundError, match="no such file under a source root"):
        await files.run()
    write(root / "in" / "x.csv")
    assert await files.run() == "job 1"
    assert await files.run() == "nothing was new"
    write(root / "in" / "x.csv", "another", age=50)
    assert await files.run() == "job 2"


async def test_a_link_out_of_the_roots_is_never_submitted(ledger: Ledger, root: Path, tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.ndjson")
    (root / "in" / "a.ndjson").symlink_to(secret)
    os.mkfifo(root / "in" / "b.ndjson")
    (root / "in" / "c.ndjson").mkdir()
    assert await ledger.folder().run() == "nothing was new"
    assert await ledger.jobs() == []


REFUSED = ("missing", "../outside", "in/../../outside", "link", "in/a.ndjson", "in\0", "/etc", "in/b/")


@pytest.mark.parametrize("place", REFUSED)
def test_what_is_no_folder_under_a_root_is_refused_in_the_same_words(
    root: Path, tmp_path: Path, place: str
) -> None:
    (tmp_path / "outside").mkdir()
    (root / "link").symlink_to(tmp_path / "outside")
    write(root / "in" / "a.ndjson")
    with pytest.raises(NotFoundError, match=r"^no such folder under a source root$"):
        files_in(place, "*", [root])


def test_a_folder_is_found_by_a_path_of_either_kind_and_a_pattern_is_case_sensitive(root: Path) -> None:
    path = write(root / "in" / "a.ndjson")
    for place in ("in", "in/", str(root / "in"), "./in"):
        assert files_in(place, "*.ndjson", [root / "nowhere", root]) == [str(path)]
    assert files_in(".", "*", [root]) == [str(root / "in")]
    assert files_in("in", "*.NDJSON", [root]) == []
    assert files_in("in", "[ab].*", [root]) == [str(path)]
