"""Settings as people read them: what `batchanator config` prints, and the table of the documentation."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from batchanator.domain.masking import MASK, mask_credentials
from batchanator.settings.fields import element_of, mapped_section_of, section_of, type_words, written_name
from batchanator.settings.model import Settings
from batchanator.settings.sections import ApiKey


class DocumentedSetting(NamedTuple):
    name: str
    type: str
    default: str
    meaning: str


def describe(settings: Settings) -> dict[str, object]:
    """Return every setting by its written name, as JSON can hold it, with passwords and keys masked.

    `DatabaseUrl` and `HeartbeatSeconds` are those in force, whichever settings they come from.
    """
    shown = _section(settings)
    shown["DatabaseUrl"] = mask_credentials(settings.database_url)
    shown["HeartbeatSeconds"] = settings.heartbeat.total_seconds()
    return shown


def documented_settings() -> list[DocumentedSetting]:
    """Return every setting, those of sections after their section, in the order of the models."""
    return list(_documented(Settings, ""))


def _section(section: BaseModel) -> dict[str, object]:
    fields = type(section).model_fields
    return {written_name(name, field): _shown(getattr(section, name)) for name, field in fields.items()}


def _shown(value: Any) -> object:
    match value:
        case BaseModel():
            return _section(value) | ({"Key": None, "Sha256": MASK} if isinstance(value, ApiKey) else {})
        case SecretStr():
            return _masked(value.get_secret_value())
        case Path() | str():
            return mask_credentials(str(value))
        case tuple():
            return [_shown(one) for one in value]
        case Mapping():
            return {key: _shown(one) for key, one in value.items()}
        case _:
            return value


def _masked(secret: str) -> str:
    """Mask what is known as a password; of a text in which none is found, show nothing."""
    masked = mask_credentials(secret)
    return masked if masked != secret or secret.startswith(("sqlite:", "postgresql:", "mssql:")) else MASK


def _documented(model: type[BaseModel], path: str) -> Iterator[DocumentedSetting]:
    for name, field in model.model_fields.items():
        written = path + written_name(name, field)
        yield DocumentedSetting(
            written, type_words(field.annotation), _default(field), field.description or ""
        )
        if section := section_of(field.annotation):
            yield from _documented(section, f"{written}.")
        elif section := mapped_section_of(field.annotation):
            yield from _documented(section, f"{written}.<name>.")
        elif section := section_of(element_of(field.annotation)):
            yield from _documented(section, f"{written}[].")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    match field.default:
        case bool() as value:
            return str(value).lower()
        case int() | float() as value:
            return f"{value:g}" if isinstance(value, float) else str(value)
        case str() | Path() as value:
            return str(value) or "none"
        case _:
            return "none" if section_of(field.annotation) is None or field.default is None else "below"
