"""Whether what listens is open to people whom nobody has let in."""

from pathlib import Path

from batchanator.domain.errors import SettingsError
from batchanator.settings.model import Settings


def check_bind(settings: Settings) -> None:
    """Refuse to listen beyond this machine for whoever comes, unless that is said. Raises SettingsError."""
    if settings.api_keys and settings.allow_anonymous:
        raise SettingsError("ApiKeys and AllowAnonymous contradict each other: leave one of them out")
    if not (settings.loopback or settings.api_keys or settings.allow_anonymous):
        raise SettingsError(
            f"Host {settings.host} is open to other machines: set ApiKeys (`batchanator keys new` makes one), "
            "or AllowAnonymous if everybody may do everything"
        )


def open_to(settings: Settings) -> str:
    """Say in a few words who may ask what listens."""
    if settings.api_keys:
        return f"whoever has one of {len(settings.api_keys)} keys"
    return "everybody" if settings.allow_anonymous else "this machine"


def source_roots(settings: Settings, cwd: Path) -> tuple[Path, ...]:
    """Return the directories whose files may be triggered; unset, it is `cwd` while bound to a loopback."""
    if settings.source_roots is not None:
        return settings.source_roots
    return (cwd,) if settings.loopback else ()
