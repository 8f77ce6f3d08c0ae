"""How often an address may come with a key that is none, in bounded memory however many addresses there are."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from time import monotonic

MOST = 10
WINDOW_SECONDS = 60.0
MOST_ADDRESSES = 4096


@dataclass(slots=True)
class _Window:
    until: float
    failures: int = 0


class FailedAttempts:
    """Counts in windows that begin with an address's first failure; the oldest ones give way to new addresses."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def count(self, address: str | None) -> float | None:
        """Note a failure; return None, or after how many seconds the next one will be heard."""
        who, now = _network(address), self._now()
        window = self._windows.get(who)
        if window is None or window.until <= now:
            self._windows.pop(who, None)
            while len(self._windows) >= MOST_ADDRESSES:
                self._windows.popitem(last=False)
            window = self._windows[who] = _Window(now + WINDOW_SECONDS)
        window.failures += 1
        return None if window.failures <= MOST else window.until - now

    def __len__(self) -> int:
        return len(self._windows)


def _network(address: str | None) -> str:
    """Return what one person has: an IPv4 address, a /64 of IPv6."""
    try:
        known = ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or "?"
    if isinstance(known, IPv6Address) and known.ipv4_mapped is None:
        return str(IPv6Address(int(known) >> 64 << 64))
    return str(known)
