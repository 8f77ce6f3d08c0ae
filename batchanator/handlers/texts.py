import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def sanitise(text: object, limit: int = 4000) -> str:
    """Return at most `limit` characters of `text`, without the NUL and lone surrogates no database takes."""
    plain = text if isinstance(text, str) else str(text)
    cut = plain if len(plain) <= limit else plain[: limit - 1] + "…"
    return _UNSTORABLE.sub("\ufffd", cut)


def one_line(error: BaseException) -> str:
    """Return an exception's type and text on one line."""
    return sanitise(" ".join(f"{type(error).__name__}: {error}".split()), 500)


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's text: what follows in pydantic's is advice at length."""
    return sanitise(str(error).split("\n", maxsplit=1)[0], 300)
