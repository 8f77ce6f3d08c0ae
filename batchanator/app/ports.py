"""Where a serving process listens, for itself and for whoever asks after it."""

from batchanator.settings import Settings

API_PORT = 5000
SCHEDULER_PORT = 5001


def ports(settings: Settings, *, status: bool = True, triggers: bool = True) -> tuple[int, ...]:
    """Return the one port that is set, else the seed's: one for status and /process, one for triggers."""
    if settings.port is not None:
        return (settings.port,)
    return tuple(port for port, served in ((API_PORT, status), (SCHEDULER_PORT, triggers)) if served)


def own_address(settings: Settings) -> tuple[str, int]:
    """Return where this machine reaches the process that has these settings."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - nothing is bound
    return host, ports(settings)[0]
