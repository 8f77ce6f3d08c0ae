"""From the ways in which a database can be named to one URL."""

import re
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode

from batchanator.settings.connection_string import npgsql_words
from batchanator.settings.sqlserver_words import sqlserver_url, sqlserver_words

_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9]*)(\+[a-z0-9_]+)?://", re.IGNORECASE)
_TAIL = r"@)?(?P<hosts>[^@/?#]*)(?:/(?P<database>[^?#]*))?(?:\?(?P<query>[^#]*))?"
_STRICT = re.compile(r"(?:(?P<user>[^:@/?#]*)(?::(?P<password>[^@/?#]*))?" + _TAIL)
# A password pasted as it is, with "@", "/" or "#" in it: it runs to the last "@".
_PASTED = re.compile(r"(?:(?P<user>[^:@/?#]*)(?::(?P<password>.*))?" + _TAIL)
_PORT = re.compile(r":([^:\]]*)$")
_POSTGRES_FORM = "must look like postgresql://user:password@host:5432/database"


def normal_url(url: str, cwd: Path) -> str:
    """Return a database URL in its one form, a relative SQLite path from `cwd`. Raises ValueError."""
    match = _SCHEME.match(url)
    rest = url[match.end() :] if match else ""
    match match["scheme"].lower() if match else "":
        case "sqlite":
            return sqlite_url(_sqlite_path(rest), cwd)
        case "postgresql" | "postgres":
            return _postgres_url(rest)
        case "mssql" | "sqlserver":
            return sqlserver_url(rest)
        case _:
            raise ValueError("must begin with sqlite:///, postgresql:// or mssql://")


def sqlite_url(path: Path, cwd: Path) -> str:
    """Return `sqlite:///` and the path as it is, nothing escaped."""
    return f"sqlite:///{(cwd / path).as_posix()}"


def connection_url(text: str) -> str:
    """Return the URL of a PostgreSQL connection string, be it a URL or Npgsql's words. Raises ValueError."""
    if match := _SCHEME.match(text):
        if match["scheme"].lower() not in {"postgresql", "postgres"}:
            raise ValueError(_POSTGRES_FORM)
        return _postgres_url(text[match.end() :])
    words = npgsql_words(text)
    port = words.pop("port", "")
    account = [words.pop(name, None) for name in ("user", "password", "database")]
    hosts = words.pop("host")
    if hosts.startswith("/"):  # a directory of Unix sockets has no place in a URL's authority
        words |= {"host": hosts} | ({"port": port} if port else {})
        return _compose(account[0], account[1], "", account[2], words)
    authority = ",".join(_with_port(host.strip(), port) for host in hosts.split(","))
    return _compose(account[0], account[1], authority, account[2], words)


def sqlserver_connection_url(text: str) -> str:
    """Return the URL of a SQL Server connection string, be it a URL or ADO.NET's words. Raises ValueError."""
    if match := _SCHEME.match(text):
        if match["scheme"].lower() not in {"mssql", "sqlserver"}:
            raise ValueError("must look like mssql://user:password@host:1433/database")
        return sqlserver_url(text[match.end() :])
    return sqlserver_words(text)


def is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Say whether `host` names this machine; a name other than localhost may be anything, so it does not."""
    host = unquote(host).strip("[]")
    if host.lower() == "localhost" or host.startswith("/"):
        return True
    return is_address(host) and ip_address(host).is_loopback


def _sqlite_path(rest: str) -> Path:
    path = rest.removeprefix("/")
    if not rest.startswith("/") or not path:
        raise ValueError("must look like sqlite:///file.db or sqlite:////absolute/file.db")
    if path == ":memory:":
        raise ValueError("must name a file: a database in memory cannot be shared between connections")
    return Path(path)


def _postgres_url(rest: str) -> str:
    match = _STRICT.fullmatch(rest) or _PASTED.fullmatch(rest)
    if match is None:
        raise ValueError(_POSTGRES_FORM)
    try:
        query = dict(parse_qsl(match["query"] or "", strict_parsing=bool(match["query"])))
    except ValueError:
        raise ValueError("has a query that is not name=value&name=value") from None
    parts = [unquote(match[name]) if match[name] else None for name in ("user", "password", "database")]
    return _compose(parts[0], parts[1], match["hosts"], parts[2], query)


def _with_port(host: str, port: str) -> str:
    if host.count(":") > 1 and not host.startswith("["):
        host = f"[{host}]"
    return f"{host}:{port}" if port and not _PORT.search(host) else host


def _compose(
    user: str | None, password: str | None, hosts: str, database: str | None, query: dict[str, str]
) -> str:
    account = quote(user or "", safe="")
    if password:
        account += f":{quote(password, safe='')}"
    ports = [match[1] for host in hosts.split(",") if (match := _PORT.search(host))]
    if not all(port.isdecimal() and 0 < int(port) < 65536 for port in ports):
        raise ValueError("has a port that is not a number from 1 to 65535")
    named = [_PORT.sub("", host) for host in hosts.split(",") if host] or query.get("host", "/").split(",")
    if "sslmode" not in query and not all(is_loopback(host) for host in named):
        query = {**query, "sslmode": "verify-full"}
    tail = f"?{urlencode(query, quote_via=quote)}" if query else ""
    return f"postgresql://{account}{'@' if account else ''}{hosts}/{quote(database or '', safe='')}{tail}"
