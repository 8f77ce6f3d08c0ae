"""What is sent and who handles it: lines of 250 bytes, a model of six fields, handlers that do nothing."""

import gzip
import shutil
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import zstandard
from pydantic import BaseModel

from batchanator.handlers import JobContext, SliceContext, handler
from batchanator.handlers.registry import Registry

JOB_TYPE = "bench"
LINE_BYTES = 250


class Payload(BaseModel):
    id: int
    name: str
    email: str
    amount: float
    tags: list[str]
    note: str


@handler(JOB_TYPE)
async def each(_payload: Payload, _context: JobContext) -> None:
    """Do nothing with an item."""


@handler(JOB_TYPE)
async def whole(payloads: list[Payload], _context: SliceContext) -> Sequence[None]:
    """Do nothing with a slice of items."""
    return [None] * len(payloads)


def registry(function: Callable[..., Awaitable[Any]] = each) -> Registry:
    handlers = Registry()
    handlers.add(function)
    return handlers


def line(number: int) -> bytes:
    """Return a line of 250 bytes, its newline included."""
    head = (
        f'{{"idempotency_key":"customer-{number:08d}","id":{number},"name":"customer {number}",'
        f'"email":"c{number}@example.com","amount":{number % 1000}.25,"tags":["a","b"],"note":"'
    )
    return head.encode() + b"x" * (LINE_BYTES - len(head) - 3) + b'"}\n'


def write_lines(path: Path, items: int) -> Path:
    with path.open("wb") as file:
        file.writelines(line(number) for number in range(1, items + 1))
    return path


def gzipped(path: Path) -> Path:
    target = path.with_name(path.name + ".gz")
    with path.open("rb") as source, gzip.open(target, "wb", compresslevel=6) as out:
        shutil.copyfileobj(source, out)
    return target


def zstandarded(path: Path) -> Path:
    target = path.with_name(path.name + ".zst")
    with path.open("rb") as source, target.open("wb") as out:
        zstandard.ZstdCompressor().copy_stream(source, out)
    return target
