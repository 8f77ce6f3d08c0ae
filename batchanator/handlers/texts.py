import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def sanitise(text: object, limit: int = 4000) -> str:
    """Return at most `limit` characters of `text`, without the NUL and lone surrogates no database takes."""
    plain = text if isinstance(text, str) else str(text)
    cut = plain if len(plain) <= limit else plain[: limit - 1] + "…"
    return _UNSTORABLE.sub("\ufffd", cut)
