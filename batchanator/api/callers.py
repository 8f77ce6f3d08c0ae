"""Who may ask while anybody may: a service that is open to its machine alone is not open to pages in its browsers."""

from functools import lru_cache
from ipaddress import ip_address

from aiohttp import web

from batchanator.api.problems import CROSS_SITE, MISDIRECTED, ProblemError

_SAFE = {"GET", "HEAD", "OPTIONS"}


def check_host(request: web.Request) -> None:
    """Refuse a name that is not this machine's: a page whose name was rebound to 127.0.0.1 sends that (DNS rebinding).

    A request without a Host is no browser's.
    """
    for host in request.headers.getall("Host", []):
        if not is_loopback(host):
            detail = "Ask for localhost, 127.0.0.1 or [::1]: this process listens for its own machine only."
            raise ProblemError(MISDIRECTED, detail)


def check_site(request: web.Request) -> None:
    """Refuse what a page of another site makes a browser send."""
    if request.method not in _SAFE and request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}:
        raise ProblemError(CROSS_SITE, "Send it from a program, or from a page of this address.")


@lru_cache(256)
def is_loopback(host: str) -> bool:
    """Tell whether a Host header, with or without a port, names this machine and nothing else."""
    if host.startswith("["):
        name, _, rest = host[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        name, _, port = host.partition(":")
    if port and not (port.isascii() and port.isdecimal()):
        return False
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost"
