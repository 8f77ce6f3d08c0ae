"""What the models say of themselves: each field's written name and its shape."""

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def written_name(name: str, field: FieldInfo) -> str:
    """Return the name as the JSON file has it: `ChunkSize`."""
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "name" in extra:
        return str(extra["name"])
    return pascal(name)


def pascal(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def bare(annotation: Any) -> Any:
    """Return the type without its checks and without `| None`."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return bare(get_args(annotation)[0])
    if origin in {Union, UnionType}:
        return bare(next(part for part in get_args(annotation) if part is not NoneType))
    return annotation


def section_of(annotation: Any) -> type[BaseModel] | None:
    kind = bare(annotation)
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def element_of(annotation: Any) -> Any:
    """Return the type of a list's elements, None where it is no list."""
    kind = bare(annotation)
    return get_args(kind)[0] if get_origin(kind) is tuple else None


def mapped_section_of(annotation: Any) -> type[BaseModel] | None:
    """Return the section that a mapping holds under each name, None where it is no mapping."""
    kind = bare(annotation)
    return section_of(get_args(kind)[1]) if get_origin(kind) is Mapping else None


def type_words(annotation: Any) -> str:
    """Return the type in words a reader of the documentation knows."""
    kind = bare(annotation)
    if get_origin(kind) is Literal:
        return ", ".join(map(str, get_args(kind)))
    if (element := element_of(kind)) is not None:
        return f"list of {'sections' if section_of(element) else type_words(element)}"
    if mapped_section_of(kind):
        return "sections by name"
    if section_of(kind):
        return "section"
    return {bool: "true, false", int: "whole number", float: "number"}.get(kind, "text")
