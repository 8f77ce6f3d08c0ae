"""The sockets of a serving process."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from aiohttp import web

from batchanator.api.server import Runner
from batchanator.app.ports import ports
from batchanator.app.runtime import Parts
from batchanator.domain.errors import SettingsError
from batchanator.settings import Settings

_log = structlog.get_logger("batchanator.app")


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


async def listen(runner: Runner, settings: Settings, parts: Parts) -> Sequence[Address]:
    """Open every socket, or none.

    Raises:
        SettingsError: an address cannot be had; the message is one line.
    """
    addresses = []
    for port in ports(settings, status=parts.status, triggers=parts.triggers):
        site = web.TCPSite(runner, settings.host, port)
        try:
            await site.start()
        except OSError as error:
            await runner.cleanup()
            reason = error.strerror or str(error)
            raise SettingsError(f"Port {port} on {settings.host} cannot be had: {reason}") from error
        address = Address(settings.host, site.port)
        _log.info("server.listening", url=str(address))
        addresses.append(address)
    return addresses
