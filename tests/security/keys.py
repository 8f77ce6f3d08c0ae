"""Keys to test with: one of each role, and a service that knows them."""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from batchanator.app.parts import Parts
from tests.api.client import QUIET, Client, served

ROLES = ("read", "submit", "operate", "process", "admin")


def key_of(name: str) -> str:
    """The key of whoever is called that."""
    return f"batchanator_{hashlib.sha256(name.encode()).hexdigest()[:43]}"


def section(
    name: str, *roles: str, job_types: tuple[str, ...] = (), key: str | None = None
) -> dict[str, Any]:
    digest = hashlib.sha256((key or key_of(name)).encode()).hexdigest()
    return {"Name": name, "Sha256": digest, "Roles": list(roles), "JobTypes": list(job_types)}


def bearing(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key_of(name)}"}


@asynccontextmanager
async def keyed(
    url: str, folder: Path, *sections: dict[str, Any], parts: Parts | None = QUIET, **settings: Any
) -> AsyncIterator[Client]:
    """A service with these keys, or else one of each role by the role's name."""
    known = list(sections) or [section(role, role) for role in ROLES]
    async with served(url, folder, parts=parts, api_keys=json.dumps(known), **settings) as client:
        yield client
