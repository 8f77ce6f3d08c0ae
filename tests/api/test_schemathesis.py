"""Requests that nobody thought of: none ends in a 5xx, and every answer is one that the document names."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from batchanator.api.openapi.document import document
from batchanator.api.openapi.routes import ROUTES
from tests.api.client import Client, served

SCHEMA = schemathesis.openapi.from_dict(document(ROUTES))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@schemathesis.serializer("application/x-ndjson")
def _as_it_is(_context: object, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service with a job that has an item of each kind, in a thread of its own."""
    folder = tmp_path_factory.mktemp("schemathesis")
    ready, stop, address = threading.Event(), asyncio.Event(), [""]
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with served(f"sqlite:///{folder / 'test.db'}", folder) as client:
            await _fill(folder, client)
            address[0] = client.base
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(30)
    yield address[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)
    loop.close()


async def _fill(folder: Path, client: Client) -> None:
    (folder / "in.ndjson").write_text('{"idempotency_key": "a"}\n{"idempotency_key": "a"}\nno\n')
    job = await client.items({}, {"does": "die"}, {"does": "skip"}, {"does": "fail"})
    await client.ended(job)
    answer = await client.post("/jobs/echo/trigger/file", {"filePath": "in.ndjson"})
    await client.ended(answer.json["jobId"])


# The service, in its thread, draws jitter while Hypothesis draws requests in this one.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@SCHEMA.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_no_request_ends_in_a_fault_or_an_undocumented_answer(
    case: "schemathesis.Case[Any]", base: str
) -> None:
    response = case.call(base_url=base, timeout=20)
    case.validate_response(response, checks=CHECKS)
