"""The kinds of values that settings have, read as .NET reads them: numbers in quotes, names in any case."""

from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from batchanator.domain import access
from batchanator.domain.cron import Expression


def complaint(problem: str, setting: str | None = None) -> PydanticCustomError:
    """Return an error that says `problem` as it is, of the field `setting` or else the one at hand."""
    return PydanticCustomError("complaint", "{problem}", {"problem": problem, "setting": setting})


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise complaint("must be a number, not true or false")
    return value


def _any_case(*names: str) -> BeforeValidator:
    known = {name.lower(): name for name in names}
    return BeforeValidator(lambda value: known.get(value.lower(), value) if isinstance(value, str) else value)


def _from_here(path: Path, info: ValidationInfo) -> Path:
    """Take a relative path from the directory that the reader names; without one it stays as it is."""
    if "\0" in str(path):
        raise complaint("holds a NUL character")
    return info.context["cwd"] / path if info.context else path


def time_zone(name: str) -> tzinfo:
    """Return the zone; UTC needs no database of zones, which Windows does not have."""
    return UTC if name.upper() in {"UTC", "ETC/UTC"} else ZoneInfo(name)


def _zone_name(name: str) -> str:
    try:
        time_zone(name)
    except (KeyError, ValueError, OSError):
        raise complaint(f"must be a time zone like UTC or Europe/Berlin, not {name!r}") from None
    return name


def _cron(text: str) -> str:
    try:
        return Expression(text).text
    except ValueError as error:
        raise complaint(str(error)) from None


Whole = Annotated[int, BeforeValidator(_no_boolean)]
Real = Annotated[float, BeforeValidator(_no_boolean)]
PathHere = Annotated[Path, AfterValidator(_from_here)]
ZoneName = Annotated[str, AfterValidator(_zone_name)]
Cron = Annotated[str, AfterValidator(_cron)]
Provider = Annotated[
    Literal["Sqlite", "Postgres", "SqlServer"],
    _any_case("Sqlite", "Postgres", "SqlServer"),
    BeforeValidator(lambda value: "Postgres" if str(value).lower() in {"postgresql", "npgsql"} else value),
]
OnMissed = Annotated[Literal["RunOnce", "Skip"], _any_case("RunOnce", "Skip")]
OnDuplicate = Annotated[Literal["skip", "redrive", "never"], _any_case("skip", "redrive", "never")]
Requests = Annotated[Literal["item", "slice"], _any_case("item", "slice")]
LogFormat = Annotated[Literal["auto", "json", "console"], _any_case("auto", "json", "console")]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"],
    _any_case("debug", "info", "warning", "error"),
    BeforeValidator(lambda value: "info" if str(value).lower() == "information" else value),
]
Role = Annotated[access.Role, _any_case(*get_args(access.Role))]
