"""A log line is one line, safe to read in a terminal, and holds no password."""

import asyncio
import json
import logging
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
import structlog

from batchanator.domain.masking import mask_credentials
from batchanator.logs import configure_logging, get_logger


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    def _lines() -> list[dict[str, Any]]:
        captured = capsys.readouterr()
        assert captured.out == ""
        return [json.loads(line) for line in captured.err.split("\n") if line]

    return _lines


HOSTILE = [
    "a\nb",
    "a\r\nb",
    "\x1b[2J",
    "\x9b2J",
    "\x00\x7f",
    *(chr(code) for code in [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029, 0x200F, 0x061C]),
    "\ud800",
    "\ufeff",
]


def fail(error: Exception) -> NoReturn:
    raise error


UNSAFE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)


def test_an_event_is_one_line_of_json_with_its_time_in_utc(lines):
    configure_logging("json", "info")
    get_logger("dispatch").info(
        "slice.settled", job=42, slice="42-3", succeeded=50, took=timedelta(seconds=2)
    )
    (line,) = lines()
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo == UTC
    assert line == {
        "level": "info",
        "event": "slice.settled",
        "component": "dispatch",
        "job": 42,
        "slice": "42-3",
        "succeeded": 50,
        "took": "0:00:02",
    }


def test_auto_is_json_where_stderr_is_no_terminal(lines):
    configure_logging("auto", "info")
    get_logger("app").info("worker.started")
    assert lines()[0]["event"] == "worker.started"


def test_auto_is_for_people_where_stderr_is_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    configure_logging("auto", "info")
    get_logger("app").info("worker.started", port=5000)
    assert re.search(r"worker\.started +component=app port=5000\n$", capsys.readouterr().err)


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("text", HOSTILE)
def test_no_value_can_forge_a_line_or_move_a_cursor(capsys, form, text):
    configure_logging(form, "info")
    log = get_logger("api")
    try:
        fail(ValueError(text))
    except ValueError as error:
        log.warning("request.refused", text=text, nested={text: [text, {"deep": text}]}, error=error)
    log.info(text)
    log.info("path.opened", path=Path(text), exception=text)
    err = capsys.readouterr().err
    assert not UNSAFE.search(err)
    starts = r"\{\"timestamp\"" if form == "json" else r"\d{4}-\d\d-\d\dT|  \| "
    assert all(re.match(starts, line) for line in err.rstrip("\n").split("\n"))


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("text", HOSTILE)
def test_no_exception_can_forge_a_line(capsys, form, text):
    configure_logging(form, "info")
    try:
        fail(ValueError(f"{text}2026-01-01T00:00:00Z [info] job.ended"))
    except ValueError:
        get_logger("api").exception("handler.failed")
    err = capsys.readouterr().err
    assert "ValueError" in err
    assert not UNSAFE.search(err)
    first, *others = err.rstrip("\n").split("\n")
    assert "handler.failed" in first
    assert all(line.startswith("  | ") for line in others)
    assert form == "console" or not others


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_value_is_cut_at_two_thousand_characters(capsys, form):
    configure_logging(form, "info")
    log = get_logger("api")
    huge = "x" * 1_000_000
    log.info("item.failed", error=huge, control="\x1b" * 100_000, many=list(range(100_000)), number=10**4000)
    try:
        fail(ValueError(huge))
    except ValueError:
        log.exception("handler.failed")
    err = capsys.readouterr().err
    assert len(err) < 12_000
    assert re.search(r"x{1999}…", err)
    assert "Traceback" in err
    assert "99900 more" in err


def test_passwords_are_masked_wherever_they_stand(capsys):
    configure_logging("json", "info")
    log = get_logger("app")
    log.info(
        "database.opened", url="postgresql://u:canary@h/d", text="at redis://:canary@h and Password=canary;"
    )
    log.info("key.made", api_key="canary", nested={"token": "canary"}, header="Bearer canary-0123456789")
    log.info("url.cut", url="x" * 1990 + "postgresql://u:canary@h/d")
    try:
        fail(OSError("cannot reach postgresql://u:can@ary/canary@h/d"))
    except OSError:
        log.exception("database.lost")
    err = capsys.readouterr().err
    assert "canary" not in err
    assert "postgresql://u:***@h/d" in err


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/a:b",
        "a@b.example",
        "http://h:5000/x",
        "idempotency_key=abc",
        "the bearer of news",
        "C:\\x",
    ],
)
def test_what_holds_no_password_stays_as_it_is(text):
    assert mask_credentials(text) == text


def test_values_of_every_kind_are_logged(lines):
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError

    configure_logging("json", "info")
    now = datetime(2026, 1, 2, tzinfo=UTC)
    loop: list[Any] = []
    loop.append(loop)
    get_logger("app").info(
        "value.seen",
        at=now,
        big=2**70,
        nan=float("nan"),
        none=None,
        bytes=b"\x00",
        broken=Broken(),
        loop=loop,
        s={1},
    )
    (line,) = lines()
    assert line["at"] == "2026-01-02T00:00:00+00:00"
    assert (line["big"], line["nan"], line["none"], line["s"]) == (str(2**70), None, None, [1])
    assert line["broken"] == "<unprintable Broken>"


@pytest.mark.parametrize(("level", "seen"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_nothing_below_the_level_is_logged(lines, level, seen):
    configure_logging("json", level)
    log = get_logger("app")
    for method in (log.debug, log.info, log.warning, log.error):
        method("event.seen")
    assert len(lines()) == seen


def test_the_standard_librarys_warnings_take_the_same_way(lines):
    configure_logging("json", "info")
    configure_logging("json", "info")
    logging.getLogger("asyncio").warning("slow %s\n", "callback")
    logging.getLogger("aiohttp.access").info("GET /")
    logging.getLogger("aiohttp.server").error("failed", exc_info=ValueError("no"))
    first, second = lines()
    assert (first["event"], first["component"], first["level"]) == ("library.logged", "asyncio", "warning")
    assert first["message"] == "slow callback\\n"
    assert "ValueError: no" in second["exception"]


def test_a_stderr_that_is_gone_takes_no_work_with_it(monkeypatch):
    class Closed:
        def write(self, _text: str) -> int:
            raise BrokenPipeError

        def isatty(self) -> bool:
            return False

    for stream in (Closed(), None):
        monkeypatch.setattr(sys, "stderr", stream)
        configure_logging("auto", "info")
        get_logger("app").info("worker.started")


async def test_bound_context_is_that_of_the_task(lines):
    configure_logging("json", "info")
    log = get_logger("app")

    async def work(job: int) -> None:
        with structlog.contextvars.bound_contextvars(job=job):
            await asyncio.sleep(0)
            log.info("job.ended")

    async with asyncio.TaskGroup() as group:
        for job in (1, 2):
            group.create_task(work(job))
    assert [line["job"] for line in lines()] == [1, 2]
