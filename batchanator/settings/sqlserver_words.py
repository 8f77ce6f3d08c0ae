"""The words of an ADO.NET connection string for SQL Server, as one URL: `mssql://user:password@host:port/database?…`."""

import re
from urllib.parse import parse_qsl, quote, unquote, urlencode

from batchanator.settings.entries import nearest

# A value in quotes may hold anything but its quote, doubled; in braces, as ODBC has it, anything but "}", doubled.
_PAIR = re.compile(
    r"\s*(?P<word>[^=;]+)=\s*"
    r"(?P<value>\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|\{(?:[^}]|\}\})*\}|[^;\"'{][^;]*|)\s*(?:;|$)"
)
_NAMES = {
    **dict.fromkeys(("Server", "Data Source", "Address", "Addr", "Network Address"), "server"),
    **dict.fromkeys(("Database", "Initial Catalog"), "database"),
    **dict.fromkeys(("User Id", "User", "UID"), "user"),
    **dict.fromkeys(("Password", "PWD"), "password"),
    **dict.fromkeys(("Trusted_Connection", "Integrated Security"), "trusted_connection"),
    "Encrypt": "encrypt",
    "TrustServerCertificate": "trust_server_certificate",
    "HostNameInCertificate": "host_name_in_certificate",
    "ServerCertificate": "server_certificate",
    "Authentication": "authentication",
    "MultiSubnetFailover": "multi_subnet_failover",
    "Application Name": "application_name",
    "App": "application_name",
    "Application Intent": "application_intent",
    "Port": "port",
}
# About SqlClient's own pool and habits; ours has its own, so these change nothing here.
_IDLE = (
    *(
        "MultipleActiveResultSets",
        "MARS_Connection",
        "Pooling",
        "Min Pool Size",
        "Max Pool Size",
        "Connection Lifetime",
    ),
    *(
        "Connect Timeout",
        "Connection Timeout",
        "Timeout",
        "Command Timeout",
        "Load Balance Timeout",
        "Enlist",
    ),
    *(
        "Persist Security Info",
        "PersistSecurityInfo",
        "Packet Size",
        "Workstation ID",
        "WSID",
        "Current Language",
    ),
    *(
        "Connect Retry Count",
        "Connect Retry Interval",
        "Pool Blocking Period",
        "Replication",
        "Type System Version",
    ),
    *("Transaction Binding", "Asynchronous Processing", "Driver"),
)
_REFUSED = {
    "AttachDbFilename": "attaches a file",
    "Failover Partner": "is of database mirroring; name an availability group's listener as the Server",
    "User Instance": "is of SQL Server Express alone",
    "Context Connection": "is of code inside the server",
    "Column Encryption Setting": "encrypts columns on the client, which reads of ours would not see",
}
_AUTHENTICATION = {
    "sqlpassword": "SqlPassword",
    "activedirectorypassword": "ActiveDirectoryPassword",
    "activedirectoryintegrated": "ActiveDirectoryIntegrated",
    "activedirectoryinteractive": "ActiveDirectoryInteractive",
    "activedirectoryserviceprincipal": "ActiveDirectoryServicePrincipal",
    "activedirectorymanagedidentity": "ActiveDirectoryMsi",
    "activedirectorymsi": "ActiveDirectoryMsi",
}
_PASSWORD = re.compile(r"(password|pwd)\s*=", re.IGNORECASE)
_URL = re.compile(
    r"(?:(?P<user>[^:@/?#]*)(?::(?P<password>.*))?@)?(?P<host>[^@/?#:]+)(?::(?P<port>[^/?#]*))?"
    r"(?:/(?P<database>[^?#]*))?(?:\?(?P<query>[^#]*))?"
)
_FORM = "must look like mssql://user:password@host:1433/database"


def _fold(word: str) -> str:
    return re.sub(r"[\s_]", "", word).lower()


_KNOWN = {_fold(word): name for word, name in _NAMES.items()} | dict.fromkeys(map(_fold, _IDLE), "")
_NOT_HERE = {_fold(word): (word, why) for word, why in _REFUSED.items()}


def sqlserver_url(rest: str) -> str:
    """Return the one form of what stands behind `mssql://`. Raises ValueError; its text holds no value."""
    match = _URL.fullmatch(rest)
    if match is None:
        raise ValueError(_FORM)
    try:
        query = dict(parse_qsl(match["query"] or "", strict_parsing=bool(match["query"])))
    except ValueError:
        raise ValueError("has a query that is not name=value&name=value") from None
    words = {name: unquote(match[name]) for name in ("user", "password", "database") if match[name]}
    return _compose(match["host"], match["port"], words, query)


def sqlserver_words(text: str) -> str:
    """Return the URL of the words of a connection string. Raises ValueError; its text holds no value."""
    words: dict[str, str] = {}
    position, text = 0, text.strip().rstrip(";")
    while position < len(text):
        pair = _PAIR.match(text, position)
        if pair is None:
            raise ValueError("must be a mssql:// URL or words like Server=…;Database=…;User Id=…;Password=…")
        word = _fold(pair["word"])
        if word in _NOT_HERE:
            refused, why = _NOT_HERE[word]
            raise ValueError(f'has the word "{refused}", which {why}')
        if word not in _KNOWN:
            raise ValueError(_unknown(pair["word"].strip(), text[:position]))
        if name := _KNOWN[word]:
            words[name] = _unquoted(pair["value"])
        position = pair.end()
    return _checked({name: value for name, value in words.items() if value})


def _unknown(word: str, before: str) -> str:
    """Name the word only where it can be no part of a password that holds a semicolon."""
    if _PASSWORD.search(before):
        return "has an unknown word after its password; a value that holds a semicolon stands in quotes"
    return f'has the unknown word "{word}"; the nearest known one is "{nearest(word, _NAMES)}"'


def _checked(words: dict[str, str]) -> str:
    if "server" not in words:
        raise ValueError('has no word "Server"')
    if _fold(words.pop("application_intent", "readwrite")) != "readwrite":
        raise ValueError('has an "Application Intent" other than ReadWrite: Batchanator writes')
    host, port, instance = _server(words.pop("server"))
    query = {"instance": instance} if instance else {}
    for name in ("trusted_connection", "trust_server_certificate", "multi_subnet_failover"):
        if name in words:
            query[name] = "yes" if _truth(name, words.pop(name)) else "no"
    if "authentication" in words:
        folded = _fold(words.pop("authentication"))
        if folded not in _AUTHENTICATION:
            raise ValueError(
                f'has an "Authentication" that is none of {", ".join(sorted(set(_AUTHENTICATION.values())))}'
            )
        query["authentication"] = _AUTHENTICATION[folded]
    for name in ("encrypt", "host_name_in_certificate", "server_certificate", "application_name"):
        if name in words:
            query[name] = words.pop(name)
    return _compose(host, words.pop("port", None) or port, words, query)


def _server(text: str) -> tuple[str, str | None, str | None]:
    """Part a server's name, its port and its instance; other protocols reach only this machine."""
    text = re.sub(r"^tcp:", "", text.strip(), flags=re.IGNORECASE)
    if re.match(r"(np|lpc|admin):|\\\\|\(localdb\)", text, re.IGNORECASE):
        raise ValueError(
            'has a "Server" that is not reached over TCP: write host, host,port or host\\instance'
        )
    host, _, port = text.partition(",")
    host, _, instance = host.partition("\\")
    host = "localhost" if host.strip().lower() in {".", "(local)", "local"} else host.strip()
    return host, port.strip() or None, instance.strip() or None


def _truth(name: str, value: str) -> bool:
    folded = value.strip().lower()
    if folded not in {"true", "yes", "sspi", "1", "false", "no", "0"}:
        raise ValueError(f'has a "{name.replace("_", " ").title()}" that is neither true nor false')
    return folded in {"true", "yes", "sspi", "1"}


def _compose(host: str, port: str | None, words: dict[str, str], query: dict[str, str]) -> str:
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError("has a port that is not a number from 1 to 65535")
    encrypt = query.get("encrypt", "yes").strip().lower()
    modes = {
        "true": "yes",
        "mandatory": "yes",
        "yes": "yes",
        "false": "no",
        "optional": "no",
        "no": "no",
        "strict": "strict",
    }
    if encrypt not in modes:
        raise ValueError('has an "Encrypt" that is none of Mandatory, Optional, Strict')
    query = {**query, "encrypt": modes[encrypt]}
    account = quote(words.get("user", ""), safe="")
    if words.get("password"):
        account += f":{quote(words['password'], safe='')}"
    place = f"{host}:{port}" if port else host
    tail = urlencode(query, quote_via=quote)
    return (
        f"mssql://{account}{'@' if account else ''}{place}/{quote(words.get('database', ''), safe='')}?{tail}"
    )


def _unquoted(value: str) -> str:
    value = value.strip()
    for start, end in (('"', '"'), ("'", "'"), ("{", "}")):
        if len(value) > 1 and value.startswith(start) and value.endswith(end):
            return value[1:-1].replace(end * 2, end)
    return value
