"""Which ODBC driver is at hand, and its connection string. Nothing is loaded before SQL Server is asked for."""

import importlib
import platform
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from batchanator.domain.errors import StoreError

INSTALLED = ("ODBC Driver 18 for SQL Server", "ODBC Driver 17 for SQL Server")
LOGIN_SECONDS = 10
_HOW = "install batchanator[sqlserver]"
# From the words of a URL's query to ODBC's.
_KEYWORDS = {
    "encrypt": "Encrypt",
    "trust_server_certificate": "TrustServerCertificate",
    "host_name_in_certificate": "HostNameInCertificate",
    "server_certificate": "ServerCertificate",
    "authentication": "Authentication",
    "trusted_connection": "Trusted_Connection",
    "multi_subnet_failover": "MultiSubnetFailover",
    "application_name": "APP",
}


def pyodbc() -> Any:
    """Return the DB-API module; StoreError, in one line, where it cannot be loaded."""
    try:
        module: Any = importlib.import_module("pyodbc")
    except ImportError as error:
        raise StoreError(f"SQL Server needs pyodbc ({error}): {_HOW}") from None
    module.pooling = False  # ours is the only pool: a session's settings and locks must not outlive its owner
    return module


def find_driver(drivers: list[str]) -> str:
    """Return the driver as it stands in a connection string: one of `drivers` (installed), else the wheel's library.

    FreeTDS is not taken: what a statement binds here it was never tried with.
    """
    for name in INSTALLED:
        if name in drivers:
            return name
    library = _of_the_wheel()
    if library is None:
        raise StoreError(f"there is no ODBC driver for SQL Server here: {_HOW}, or install {INSTALLED[0]!r}")
    return str(library)


def _of_the_wheel() -> Path | None:
    spec = find_spec("mssql_python_odbc")
    if spec is None or not spec.submodule_search_locations:
        return None
    root = Path(spec.submodule_search_locations[0]) / "libs"
    pattern = {"linux": "libmsodbcsql-18*.so*", "darwin": "libmsodbcsql*.dylib", "win32": "msodbcsql18.dll"}
    found = sorted(root.rglob(pattern.get(sys.platform, "none")))
    fitting = [path for path in found if _fits(path.relative_to(root).parts)]
    return fitting[0] if fitting else None


def _fits(folders: tuple[str, ...]) -> bool:
    """Tell whether a library is of this machine: the wheel has a folder for each distribution and architecture."""
    machine = platform.machine().lower()
    names = {"x86_64", "amd64", "x64"} if machine in {"x86_64", "amd64"} else {"arm64", "aarch64"}
    if sys.platform == "linux":
        family = "alpine" if Path("/etc/alpine-release").exists() else _distribution()
        return family in folders and bool(names & set(folders))
    return bool(names & set(folders)) or not {"x86_64", "arm64", "x64"} & set(folders)


def _distribution() -> str:
    try:
        known = platform.freedesktop_os_release()
    except OSError:
        return "debian_ubuntu"
    family = f"{known.get('ID', '')} {known.get('ID_LIKE', '')}"
    if "suse" in family:
        return "suse"
    return "rhel" if "rhel" in family or "fedora" in family else "debian_ubuntu"


def connection_string(url: str, driver: str) -> str:
    """Return ODBC's words for `mssql://user:password@host:port/database?encrypt=yes…`."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    host = parts.hostname or "localhost"
    instance = query.pop("instance", None)
    server = f"{host}\\{instance}" if instance else f"tcp:{host},{parts.port or 1433}"
    words = {"DRIVER": driver, "SERVER": server, "APP": "batchanator", "ConnectRetryCount": "0"}
    if parts.path.strip("/"):
        words["DATABASE"] = unquote(parts.path[1:])
    if parts.username:
        words["UID"] = unquote(parts.username)
    if parts.password is not None:
        words["PWD"] = unquote(parts.password)
    words["Encrypt"] = "yes"
    words |= {_KEYWORDS[name]: value for name, value in query.items() if name in _KEYWORDS}
    return ";".join(f"{word}={_braced(value)}" for word, value in words.items())


def _braced(value: str) -> str:
    return "{" + value.replace("}", "}}") + "}"
