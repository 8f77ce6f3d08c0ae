"""The OpenAPI 3.1 document: made of the structs that parse requests and those that answers are held against."""

import re
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import msgspec

from batchanator.api.access import ROLES
from batchanator.api.openapi.operating import Problem
from batchanator.api.openapi.parameters import of_path, of_query
from batchanator.api.openapi.routes import NDJSON, ROUTES, Route
from batchanator.api.problems import CONTENT_TYPE, KINDS

ANYWHERE = (400, 401, 403, 421, 422, 429, 500, 503)
"""What any route may answer: no HTTP, no key or a wrong one, a foreign host, a wrong field, a fault, no database."""

_REF = "#/components/schemas/{name}"
_PARTS = re.compile(r"\{(\w+)\}")


def document(served: Iterable[str]) -> dict[str, Any]:
    """Return the document of the routes that are served, named as in ROLES."""
    routes = {name: ROUTES[name] for name in served}
    structs = _structs(routes.values())
    schemas, components = msgspec.json.schema_components(structs, ref_template=_REF)
    of_struct = dict(zip(structs, schemas, strict=True))
    paths: dict[str, Any] = {}
    for name, route in routes.items():
        method, path = name.split(" ")
        paths.setdefault(path, {})[method.lower()] = _operation(name, route, of_struct)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Batchanator",
            "version": version("batchanator"),
            "summary": "Push records through your own code, and know what became of every line.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key of ApiKeys, where there are any.",
                }
            },
        },
    }


def _structs(routes: Iterable[Route]) -> list[type]:
    found: dict[type, None] = {Problem: None}
    for route in routes:
        for one in (route.body, *route.answers.values()):
            if one is not None:
                found[one] = None
    return list(found)


def _operation(name: str, route: Route, schema: dict[type, Any]) -> dict[str, Any]:
    needed = ROLES[name]
    parameters = [of_path(name, part) for part in _PARTS.findall(name)]
    parameters += [of_query(name, one, required=one in route.needed) for one in route.query]
    if route.creates:
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "the same key with the same request is the same job",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            }
        )
    operation: dict[str, Any] = {
        "operationId": _id(name),
        "summary": route.summary,
        "parameters": parameters,
        "responses": _responses(route, schema, is_open=needed == "nothing"),
        "security": [] if needed == "nothing" else [{}, {"key": [needed]}],
    }
    if route.takes_lines:
        lines = {"type": "string", "description": "NDJSON, plain, gzip or zstd", "format": "binary"}
        operation["requestBody"] = {"required": True, "content": {NDJSON: {"schema": lines}}}
    elif route.body is not None:
        content = {"application/json": {"schema": schema[route.body]}}
        operation["requestBody"] = {"required": not route.body_is_optional, "content": content}
    return operation


def _responses(route: Route, schema: dict[type, Any], *, is_open: bool) -> dict[str, Any]:
    titles: dict[int, list[str]] = {}
    for kind in KINDS:
        titles.setdefault(kind.status, []).append(kind.name)
    responses: dict[str, Any] = {}
    for status, struct in route.answers.items():
        response: dict[str, Any] = {"description": "committed" if status == 202 else "the answer"}
        if route.media is not None:
            response["content"] = {route.media: {"schema": {"type": "string"}}}
        else:
            body = {"type": "object"} if struct is None else schema[struct]
            response["content"] = {"application/json": {"schema": body}}
        if status == 202:
            response["headers"] = {
                "Location": {"description": "the job", "schema": {"type": "string"}, "required": True},
                "Idempotency-Replayed": {"description": "it was there before", "schema": {"const": "true"}},
            }
        responses[str(status)] = response
    common = (400, 421, 500, 503) if is_open else ANYWHERE
    for status in sorted({*common, *route.problems}):
        responses[str(status)] = {
            "description": ", ".join(titles[status]),
            "content": {CONTENT_TYPE: {"schema": schema[Problem]}},
        }
    return responses


def _id(name: str) -> str:
    method, path = name.split(" ")
    words = [word.strip("{}") for word in path.split("/") if word]
    return "_".join([method.lower(), *words]).replace("-", "_").replace(".", "_")
