"""Give entries the names that the models know, whatever their case, and refuse those that no model knows."""

from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from batchanator.domain.errors import SettingsError
from batchanator.settings.entries import Entry, fold, merge, nearest, refuse
from batchanator.settings.fields import element_of, mapped_section_of, section_of, written_name
from batchanator.settings.json_file import read_json


def bind(section: Entry, model: type[BaseModel], path: str = "") -> Entry:
    """Return the section by field names. Raises SettingsError for an unknown or repeated name."""
    if not isinstance(section.value, dict):
        return section  # the model says what it should have been
    fields = {fold(written_name(name, field)): name for name, field in model.model_fields.items()}
    bound: dict[str, Entry] = {}
    for written, given in section.value.items():
        entry = _named(given, f"{path}{written}")
        name = fields.get(fold(written))
        if name is None:
            known = nearest(written, (written_name(*item) for item in model.model_fields.items()))
            raise refuse(
                replace(entry, name=""), f"unknown setting {entry.name}; the nearest known one is {known}"
            )
        part = _bind_value(entry, model.model_fields[name].annotation)
        if name in bound:
            if not isinstance(bound[name].value, dict) or not isinstance(part.value, dict):
                raise refuse(entry, f"names again what {bound[name].name} sets")
            part = merge(bound[name], part)
        bound[name] = part
    return replace(section, value=bound)


def _bind_value(entry: Entry, annotation: Any) -> Entry:
    if section := section_of(annotation):
        text_is = getattr(section, "text_is", None)
        if text_is and isinstance(entry.value, str):
            return replace(entry, value={text_is: entry})
        return bind(entry, section, f"{entry.name}.")
    if section := mapped_section_of(annotation):
        if not isinstance(entry.value, dict):
            return entry
        parts = {name: _named(part, f"{entry.name}.{name}") for name, part in entry.value.items()}
        return replace(
            entry, value={name: bind(part, section, f"{part.name}.") for name, part in parts.items()}
        )
    element = element_of(annotation)
    return entry if element is None else _bind_list(entry, element)


def _bind_list(entry: Entry, element: Any) -> Entry:
    """Return a list by position: a variable with an index lays itself over one element, a list over all."""
    value = entry.value
    if isinstance(value, str) and entry.splits and section_of(element) and value.lstrip().startswith("["):
        value = _from_json(entry)
    elif isinstance(value, str) and entry.splits:
        value = [replace(entry, value=part.strip()) for part in value.split(",") if part.strip()]
    match value:
        case list():
            parts, whole = dict(enumerate(value)), True
        case dict() if all(position.isdecimal() for position in value):
            parts, whole = {int(position): part for position, part in value.items()}, False
        case _:
            return entry
    if not parts:
        return replace(entry, value=[], replaces=True)
    named = {n: _named(part, f"{entry.name}[{n}]") for n, part in parts.items()}
    return replace(entry, value={n: _bind_value(part, element) for n, part in named.items()}, replaces=whole)


def _from_json(entry: Entry) -> list[Entry]:
    """Return the sections of a JSON array in a variable; what is wrong is not shown, it may be a key."""
    try:
        root = read_json(f'{{"list": {entry.value}}}', entry.name)
    except SettingsError:
        root = None
    if root is None or list(root.value) != ["list"]:
        raise refuse(entry, "must be a JSON array of sections, or texts with commas between them") from None
    parts: list[Entry] = root.value["list"].value
    return parts


def _named(entry: Entry, name: str) -> Entry:
    """Call an entry by its place, unless it has a name of its own, as a variable of the environment has."""
    return entry if entry.name else replace(entry, name=name)
