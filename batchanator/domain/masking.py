"""Make a text safe for people to read: a log line, a printed configuration, an error."""

import re

MASK = "***"
KEY_PREFIX = "batchanator_"
"""What keys of ours begin with, so that one that got somewhere is known for what it is."""

# Every repetition has a bound, so that a hostile text costs little.
# scheme://user:password@ where the password may hold a bare "@" or "/": it runs to the last "@" of the word.
_URL = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]{0,30}://[^\s:@/?#\"'<>]{0,256}:)[^\s\"'<>]{0,2048}@")
# password=…; of a connection string, password=…& of a URL's query, with the quotes that ADO.NET allows.
_WORD = re.compile(
    r"\b((?:ssl[ _]?)?password|pwd|psw|secret|token|api[_-]?key)(\s*=\s*)"
    r"(\"[^\"]{0,256}(?:\"\"[^\"]{0,256}){0,8}\"|'[^']{0,256}(?:''[^']{0,256}){0,8}'|[^;&\s]+)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(bearer\s+)[^\s\"',;]{16,}", re.IGNORECASE)

_KEY = re.compile(KEY_PREFIX + r"[A-Za-z0-9_-]{43}")

# Control characters (C0, DEL, C1), line and paragraph separators, bidirectional marks, lone surrogates.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def escape_controls(text: str) -> str:
    r"""Write what moves a cursor, ends a line or turns a text around as an escape: `\n`, `\x1b`, `\u202e`."""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def mask_credentials(text: str) -> str:
    """Replace every password that stands in a URL or a connection string, bearer tokens and keys of ours by `***`.

    It would rather take too much than too little: what follows a password up to the last "@" goes with it.
    """
    if "://" in text:
        text = _URL.sub(rf"\g<1>{MASK}@", text)
    if "=" in text:
        text = _WORD.sub(rf"\g<1>\g<2>{MASK}", text)
    if KEY_PREFIX in text:
        text = _KEY.sub(KEY_PREFIX + MASK, text)
    return _BEARER.sub(rf"\g<1>{MASK}", text)
