"""Holds every answer of the API's tests against the OpenAPI document that is served."""

import re
from functools import cache
from typing import Any

import jsonschema_rs
import orjson

from batchanator.api.openapi.document import document
from batchanator.api.openapi.routes import ROUTES

DOCUMENT = document(ROUTES)


def check(method: str, path: str, status: int, content_type: str, body: bytes) -> None:
    """Raise AssertionError where the answer is not as documented; what no route has is passed over."""
    found = _operation(method.lower(), path.partition("?")[0])
    if found is None:
        return
    name, operation = found
    response = operation["responses"].get(str(status))
    assert response is not None, f"{name}: {status} is not documented: {body[:300]!r}"
    media = content_type.partition(";")[0]
    assert media in response["content"], f"{name}: {status} comes as {media}"
    if media in {"application/json", "application/problem+json"}:
        errors = [
            f"{error.instance_path}: {error.message}"
            for error in _validator(name, status).iter_errors(orjson.loads(body))
        ]
        assert not errors, f"{name}: {status} {errors}: {body[:500]!r}"


@cache
def _validator(name: str, status: int) -> Any:
    method, path = name.split(" ")
    response = DOCUMENT["paths"][path][method]["responses"][str(status)]
    (content,) = response["content"].values()
    return jsonschema_rs.Draft202012Validator(
        {**content["schema"], "components": DOCUMENT["components"]}, validate_formats=True
    )


def _operation(method: str, path: str) -> tuple[str, dict[str, Any]] | None:
    for pattern, template in _patterns():
        if pattern.fullmatch(path) and method in DOCUMENT["paths"][template]:
            return f"{method} {template}", DOCUMENT["paths"][template][method]
    return None


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return [
        (re.compile(re.sub(r"\{\w+\}", "[^/]+", template)), template)
        for template in sorted(DOCUMENT["paths"], key=lambda path: path.count("{"))
    ]
