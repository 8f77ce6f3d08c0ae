"""Read the settings: the command line before the environment, before the file, before the defaults."""

import codecs
from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from batchanator.domain.errors import SettingsError
from batchanator.settings.binding import bind
from batchanator.settings.entries import Entry, fold, merge, plain, printable, refuse
from batchanator.settings.environment import read_environment
from batchanator.settings.fields import written_name
from batchanator.settings.json_file import read_json
from batchanator.settings.model import Settings
from batchanator.settings.problems import first_problem
from batchanator.settings.toml_file import read_toml

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # as PowerShell writes it, and .NET reads it


def load_settings(
    *, config: Path | None = None, cwd: Path, environ: Mapping[str, str], overrides: Mapping[str, object]
) -> Settings:
    """Return the settings of a process that runs in `cwd`, relative paths made absolute from there.

    `overrides` are the command line's, by field or written name (`database_url` for `--database`); None and
    an empty tuple are options that were not given. Raises SettingsError, one line that names the setting.
    """
    layers = []
    if (path := _file(config, cwd)) is not None:
        layers += _sections(_read(path))
    variables, connection = read_environment(environ)
    layers += [bind(variables, Settings), *_connection(connection)]
    layers.append(bind(_command_line(overrides), Settings))
    merged = reduce(merge, layers)
    try:
        return Settings.model_validate(plain(merged), context={"cwd": cwd.absolute()})
    except ValidationError as error:
        # `from None`: pydantic's own error would show the values.
        raise first_problem(merged, error.errors(include_url=False)[0]) from None


def _file(config: Path | None, cwd: Path) -> Path | None:
    if config is not None:
        return cwd / config
    found = [path for path in (cwd / "batchanator.json", cwd / "batchanator.toml") if path.exists()]
    if len(found) > 1:
        raise SettingsError(
            "batchanator.json and batchanator.toml are both here; keep one, or name one by --config"
        )
    return found[0] if found else None


def _read(path: Path) -> Entry:
    label = path.name
    try:
        data = path.read_bytes()
        text = data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(printable(f"{label}: not UTF-8")) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a file name"
        raise SettingsError(printable(f"{label}: cannot be read: {reason}")) from None
    return read_toml(text, label) if path.suffix.lower() == ".toml" else read_json(text, label)


def _sections(root: Entry) -> list[Entry]:
    """Return our section of a file and its connection string; what else the file holds is not ours."""
    ours = _child(root, "Batchanator")
    strings = _child(root, "ConnectionStrings")
    if ours is None:
        _refuse_strays(root)
    layers = []
    if ours is not None and ours.value is not None:
        if not isinstance(ours.value, dict):
            raise refuse(ours, "must be a section")
        layers.append(bind(ours, Settings))
    if strings is not None:
        layers += _connection(_child(strings, "DefaultConnection"))
    return layers


def _refuse_strays(root: Entry) -> None:
    """Refuse settings that stand outside the section of a file that has none: they would go unread."""
    known = {fold(written_name(*item)) for item in Settings.model_fields.items()}
    for written, part in root.value.items():
        if fold(written) in known:
            raise refuse(part, f"{written} stands outside the section Batchanator")


def _child(section: Entry, name: str) -> Entry | None:
    if not isinstance(section.value, dict):
        return None
    found = next((part for written, part in section.value.items() if fold(written) == fold(name)), None)
    return Entry(found.value, found.origin, name) if found is not None else None


def _connection(entry: Entry | None) -> list[Entry]:
    if entry is None or not entry.value:
        return []
    name = "ConnectionStrings.DefaultConnection" if entry.name == "DefaultConnection" else entry.name
    return [Entry({"connection_string": Entry(entry.value, entry.origin, name)}, entry.origin)]


def _command_line(overrides: Mapping[str, object]) -> Entry:
    where = "command line"
    parts: dict[str, Entry] = {}
    for name, value in overrides.items():
        if value is None or value in ((), []):
            continue
        shown = "".join(word[:1].upper() + word[1:] for word in name.split("_"))
        items: Any = [Entry(one, where) for one in value] if isinstance(value, list | tuple) else value
        parts[name] = Entry(items, where, shown)
    return Entry(parts, where)
