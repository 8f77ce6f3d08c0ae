"""Secrets that every test carries along: none of them may come out where somebody reads."""

PASSWORD = "canary-password-2718281828459045"
"""The password in the URL of every PostgreSQL database that tests use."""

PAYLOAD = "canary-payload-3141592653589793"
"""Stands in items, keys and bad lines: it is for those who may read, and for no log."""

KEY = "canary-key-1414213562373095-1618033988749894"
"""A key of the HTTP API, as its holder sends it."""

CANARIES = (PASSWORD, PAYLOAD, KEY)


def sung(text: str | bytes) -> list[str]:
    """Return the canaries that are heard in a text."""
    told = text.decode(errors="replace") if isinstance(text, bytes) else text
    return [canary for canary in CANARIES if canary in told]
