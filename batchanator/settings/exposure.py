"""Whether what listens is open to people whom nobody has let in."""

from pathlib import Path

from batchanator.domain.errors import SettingsError
from batchanator.settings.model import Settings


def check_bind(settings: Settings) -> None:
    """Refuse to listen beyond this machine: this version checks no keys. Raises SettingsError."""
    if settings.loopback or settings.allow_anonymous:
        return
    raise SettingsError(
        f"Host {settings.host} is open to other machines, and ApiKeys are not checked by this version: "
        "set AllowAnonymous if that is meant"
    )


def source_roots(settings: Settings, cwd: Path) -> tuple[Path, ...]:
    """Return the directories whose files may be triggered; unset, it is `cwd` while bound to a loopback."""
    if settings.source_roots is not None:
        return settings.source_roots
    return (cwd,) if settings.loopback else ()
