"""What a path in a request may lead to: files under a root. Everything else is one and the same answer."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.client import Client, served
from tests.ingest.test_paths import REFUSED, WAYS, tree

__all__ = ["tree"]
TRIGGER = "/jobs/echo/trigger/file"


@pytest.fixture
async def rooted(sqlite_url: str, tree: Path) -> AsyncIterator[Client]:
    async with served(sqlite_url, tree) as client:
        yield client


async def answered(client: Client, path: str, root: Path) -> tuple[Any, ...]:
    named = path.replace("{root}", str(root)).replace("{parent}", str(root.parent))
    async with asyncio.timeout(10):  # a pipe without a writer holds nobody up
        answer = await client.post(TRIGGER, {"filePath": named})
    headers = {name: value for name, value in answer.headers.items() if name != "Date"}
    return answer.status, tuple(sorted(headers.items())), answer.body


async def test_whatever_is_no_file_under_a_root_is_one_and_the_same_404(
    rooted: Client,
    tree: Path,
) -> None:
    asked = [path for path in REFUSED if "\ud800" not in path]  # no JSON can hold that
    assert len(asked) >= 40
    answers = {path: await answered(rooted, path, tree) for path in asked}
    assert len(set(answers.values())) == 1, answers
    status, _, body = next(iter(answers.values()))
    assert status == 404
    assert str(tree).encode() not in body
    assert (await rooted.get("/jobs")).json["data"] == []


@pytest.mark.skipif("beneath" not in WAYS, reason="only descriptors of directories exclude this race")
async def test_a_path_that_is_swapped_while_it_is_asked_for_gives_no_secret_away(
    rooted: Client,
    tree: Path,
) -> None:
    swapped, good, bad = tree / "swap", tree / "good", tree / "bad"
    good.mkdir()
    (good / "secret").write_bytes(b"good")
    bad.symlink_to(tree.parent / "outside")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            for one in (good, bad):
                one.rename(swapped)
                swapped.rename(one)

    thread = threading.Thread(target=swap)
    thread.start()
    jobs: list[int] = []
    refused = 0
    try:
        async with asyncio.timeout(60):
            while len(jobs) < 20 or refused < 20:
                answer = await rooted.post(TRIGGER, {"filePath": "swap/secret"})
                assert answer.status in {202, 404}
                if answer.status == 202:
                    jobs.append(answer.json["jobId"])
                refused += answer.status == 404
            for job in jobs:
                await rooted.ended(job)
    finally:
        stop.set()
        thread.join()
    kept = [line["raw"] for job in jobs for line in (await rooted.get(f"/jobs/{job}/rejects")).json["data"]]
    assert set(kept) <= {"good"}
