"""Where a serving process listens, for itself and for whoever asks after it."""

from batchanator.settings import Settings

API_PORT = 5000
SCHEDULER_PORT = 5001


def ports(settings: Settings) -> tuple[int, ...]:
    """Return the one port that is set, else both of the seed's, so that its requests work as they are written."""
    return (API_PORT, SCHEDULER_PORT) if settings.port is None else (settings.port,)


def own_address(settings: Settings) -> tuple[str, int]:
    """Return where this machine reaches the process that has these settings."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - nothing is bound
    return host, ports(settings)[0]
