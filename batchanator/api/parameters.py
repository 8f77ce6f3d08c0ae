"""What stands in an address: ids, cursors, limits, filters. Unknown and wrong ones are named, never ignored."""

from collections.abc import Collection, Sequence
from typing import NoReturn

from aiohttp import web

from batchanator.api.problems import invalid
from batchanator.domain.errors import NotFoundError
from batchanator.domain.submission import MAX_KEY_BYTES

MAX_LIMIT = 1000
DEFAULT_LIMIT = 100
LARGEST = 2**62
JOB_STATUSES = (
    "pending",
    "ingesting",
    "processing",
    "completed",
    "partially_completed",
    "failed",
    "cancelled",
)
ITEM_STATUSES = ("pending", "processing", "retrying", "succeeded", "skipped", "dead", "cancelled")


def job_id(request: web.Request) -> int:
    text = request.match_info["id"]
    number = _whole(text)
    return _nothing(f"job {text[:40]}") if number is None else number


def seq(request: web.Request) -> int:
    text = request.match_info["seq"]
    number = _whole(text)
    return _nothing(f"item {text[:40]}") if number is None else number


def batch_id(request: web.Request) -> tuple[int, int]:
    """Return job id and number of `42-3`."""
    text = request.match_info["id"]
    job, _, number = text.partition("-")
    parts = _whole(job), _whole(number)
    if parts[0] is None or parts[1] is None or parts[1] >= 2**31:
        _nothing(f"batch {text[:40]}")
    return parts[0], parts[1]


def _nothing(what: str) -> NoReturn:
    raise NotFoundError(f"there is no {what}")


def _whole(text: str) -> int | None:
    if text.isascii() and text.isdecimal() and len(text) <= 19 and int(text) < LARGEST:
        return int(text)
    return None


class Query:
    """The query of a request; every parameter that is not `known` is refused, and one that is named twice."""

    def __init__(self, request: web.Request, *known: str) -> None:
        self._given = request.query
        for name in self._given:
            if name not in known:
                names = ", ".join(known) or "none"
                raise invalid(
                    name[:80], f"there is no parameter {name[:80]!r} here; known: {names}", "unknown"
                )
            if len(self._given.getall(name)) > 1:
                raise invalid(name, f"{name} is given twice", "twice")

    def text(self, name: str) -> str | None:
        """Return a text that every database takes."""
        value = self._given.get(name)
        if value is not None and (not value or len(value) > 1000 or not value.isprintable()):
            raise invalid(name, f"{name} must be 1 to 1000 printable characters")
        return value

    def needed(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise invalid(name, f"{name} is needed", "missing")
        return value

    def key(self, name: str) -> str:
        """Return an idempotency key: any text that a line may have as its key."""
        value = self._given.get(name)
        if value is None:
            raise invalid(name, f"{name} is needed", "missing")
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            size = 0
        if not 0 < size <= MAX_KEY_BYTES or "\0" in value:
            raise invalid(name, f"{name} must be 1 to {MAX_KEY_BYTES} bytes of UTF-8 without U+0000")
        return value

    def one_of(self, name: str, words: Collection[str]) -> str | None:
        value = self._given.get(name)
        if value is not None and value not in words:
            raise invalid(name, f"{name} must be one of {', '.join(words)}")
        return value

    def whole(self, name: str, default: int, *, least: int = 0, most: int = LARGEST) -> int:
        value = self._given.get(name)
        if value is None:
            return default
        number = _whole(value)
        if number is None or not least <= number <= most:
            bound = f" from {least} to {most}" if most < LARGEST else f" from {least}"
            raise invalid(name, f"{name} must be a whole number{bound}")
        return number

    def limit(self, name: str = "limit", default: int = DEFAULT_LIMIT) -> int:
        return self.whole(name, default, least=1, most=MAX_LIMIT)

    def cursor(self, name: str, parts: int) -> Sequence[int]:
        """Return the numbers of a cursor like `17.3`, zeros where none is given."""
        value = self._given.get(name)
        if value is None:
            return [0] * parts
        numbers = [number for text in value.split(".") if (number := _whole(text)) is not None]
        if len(numbers) != parts or value.count(".") != parts - 1:
            raise invalid(name, f"{name} must be the `next` of the page before")
        return numbers
