"""Stop-points: named places where a test can stop, delay or kill a process. Free of effect in production."""

from collections.abc import Awaitable, Callable

_hook: Callable[[str], Awaitable[None]] | None = None


def set_probe(hook: Callable[[str], Awaitable[None]] | None) -> None:
    """Let `hook` be awaited at every stop-point, with its name; None takes it away."""
    global _hook  # noqa: PLW0603 - one switch for the whole process, set by tests only
    _hook = hook


async def probe(name: str) -> None:
    if _hook is not None:
        await _hook(name)
