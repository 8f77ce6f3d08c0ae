"""Read settings from environment variables: `BATCHANATOR_CHUNK_SIZE`, or .NET's `Batchanator__ChunkSize`."""

import re
from collections.abc import Mapping

from batchanator.settings.entries import Entry, refuse

_OURS = re.compile(r"batchanator__?(?!test_|samples_)(?P<path>.+)", re.IGNORECASE | re.DOTALL)
_CONNECTION = "connectionstrings__defaultconnection"
# Kubernetes puts these into every pod beside a Service named batchanator or batchanator-something.
_SERVICE_LINK = re.compile(r"\w*_SERVICE_(HOST|PORT(_\w+)?)|\w*_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?")
_SERVICE_PORT = re.compile(r"(tcp|udp|sctp)://")


def read_environment(environ: Mapping[str, str]) -> tuple[Entry, Entry | None]:
    """Return our section and the connection string; an empty variable is one that is not set."""
    section = Entry({}, "environment")
    connection = None
    for variable in sorted(environ):
        value = environ[variable]
        if not value or _is_service_link(variable, value):
            continue
        entry = Entry(value, "environment", variable, splits=True)
        if variable.lower() == _CONNECTION:
            connection = entry
        elif match := _OURS.fullmatch(variable):
            _put(section, match["path"].split("__"), entry)
    return section, connection


def _is_service_link(variable: str, value: str) -> bool:
    if _SERVICE_LINK.fullmatch(variable):
        return True
    return variable.endswith("_PORT") and _SERVICE_PORT.match(value) is not None


def _put(section: Entry, path: list[str], entry: Entry) -> None:
    for part in path[:-1]:
        section = section.value.setdefault(part, Entry({}, "environment", entry.name))
        if not isinstance(section.value, dict):
            raise refuse(entry, f"names a part of {section.name}, which is set as a whole")
    other = section.value.setdefault(path[-1], entry)
    if other is not entry:
        raise refuse(entry, f"names again what {other.name} sets")
