from typing import Any

from pydantic import BaseModel

from batchanator import JobContext
from batchanator.handlers import RegisteredHandler, Registry

CONTEXT = JobContext("k", 1, 2, 3, 4)


class Email(BaseModel):
    to: str = "ada"


def register(thing: Any) -> RegisteredHandler:
    registry = Registry()
    registry.add(thing)
    (only,) = registry
    return only


async def run(registered: RegisteredHandler, raw: str = "{}") -> Any:
    payload = registered.payloads.read_one(raw)
    answer = registered.call([payload] if registered.whole_slice else payload, CONTEXT)
    return await answer if registered.is_async else answer
