"""The words of an Npgsql connection string (`Host=…;Username=…`), in libpq's names."""

import re

from batchanator.settings.entries import nearest

_PAIR = re.compile(
    r"\s*(?P<word>[^=;]+)=\s*(?P<value>\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|[^;\"'][^;]*|)\s*(?:;|$)",
)
_NAMES = {
    "Host": "host",
    "Server": "host",
    "Port": "port",
    "Database": "database",
    "DB": "database",
    "Username": "user",
    "User Name": "user",
    "User Id": "user",
    "UID": "user",
    "Password": "password",
    "PWD": "password",
    "PSW": "password",
    "SSL Mode": "sslmode",
    "Root Certificate": "sslrootcert",
    "SSL Certificate": "sslcert",
    "SSL Key": "sslkey",
    "SSL Password": "sslpassword",
    "Passfile": "passfile",
    "Application Name": "application_name",
    "Search Path": "search_path",
    "Options": "options",
    "Target Session Attributes": "target_session_attrs",
    "Trust Server Certificate": "trust",
}
# About Npgsql's own pool and its habits; ours has its own, so these change nothing here.
_IDLE = (
    *("Pooling", "Minimum Pool Size", "Maximum Pool Size", "MinPoolSize", "MaxPoolSize", "Timeout"),
    *("Command Timeout", "Cancellation Timeout", "Keepalive", "TCP Keepalive", "Connection Lifetime"),
    *(
        "Connection Idle Lifetime",
        "Connection Pruning Interval",
        "Max Auto Prepare",
        "Auto Prepare Min Usages",
    ),
    *("Enlist", "Multiplexing", "No Reset On Close", "Include Error Detail", "Persist Security Info"),
    *("Read Buffer Size", "Write Buffer Size", "Load Balance Hosts", "Log Parameters"),
)
_PASSWORD = re.compile(r"(password|pwd|psw)\s*=", re.IGNORECASE)
_SSL_MODES = {"verifyca": "verify-ca", "verifyfull": "verify-full"}


def _fold(word: str) -> str:
    return re.sub(r"[\s_]", "", word).lower()


_KNOWN = {_fold(word): name for word, name in _NAMES.items()} | dict.fromkeys(map(_fold, _IDLE), "")


def npgsql_words(text: str) -> dict[str, str]:
    """Return what the words say, `host` always among them. Raises ValueError; its text holds no value."""
    words: dict[str, str] = {}
    position = 0
    text = text.strip().rstrip(";")
    while position < len(text):
        pair = _PAIR.match(text, position)
        if pair is None:
            raise ValueError(
                "must be a postgresql:// URL or words like Host=…;Database=…;Username=…;Password=…"
            )
        name = _KNOWN.get(_fold(pair["word"]))
        if name is None:
            raise ValueError(_unknown(pair["word"].strip(), text[:position]))
        if name:
            words[name] = _unquoted(pair["value"])
        position = pair.end()
    return _checked(words)


def _unknown(word: str, before: str) -> str:
    """Name the word only where it can be no part of a password that holds a semicolon."""
    if _PASSWORD.search(before):
        return "has an unknown word after its password; a value that holds a semicolon stands in quotes"
    return f'has the unknown word "{word}"; the nearest known one is "{nearest(word, _NAMES)}"'


def _checked(words: dict[str, str]) -> dict[str, str]:
    trusted = words.pop("trust", "").lower() in {"true", "yes"}
    words = {name: value for name, value in words.items() if value}
    if "host" not in words:
        raise ValueError('has no word "Host"')
    if "sslmode" in words:
        mode = _fold(words["sslmode"]).replace("-", "")
        words["sslmode"] = _SSL_MODES.get(mode, mode)
        if words["sslmode"] not in {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}:
            raise ValueError(
                "must have an SSL Mode of Disable, Allow, Prefer, Require, VerifyCA or VerifyFull"
            )
    elif trusted:
        words["sslmode"] = "require"
    if "target_session_attrs" in words:
        words["target_session_attrs"] = words["target_session_attrs"].lower()
    return words


def _unquoted(value: str) -> str:
    value = value.strip()
    for mark in ('"', "'"):
        if len(value) > 1 and value.startswith(mark) and value.endswith(mark):
            return value[1:-1].replace(mark * 2, mark)
    return value
