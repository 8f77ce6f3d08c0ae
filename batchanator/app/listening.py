"""The sockets of a serving process."""

import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web

from batchanator.api.server import Runner
from batchanator.app.parts import Parts
from batchanator.app.ports import ports
from batchanator.domain.errors import SettingsError
from batchanator.settings import Settings

BACKLOG = 1024
_log = structlog.get_logger("batchanator.app")


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def bind(settings: Settings, parts: Parts) -> Sequence[socket.socket]:
    """Open every socket, or none. Requests wait in them until someone listens.

    Raises:
        SettingsError: an address cannot be had; the message is one line.
    """
    sockets: list[socket.socket] = []
    for port in ports(settings, status=parts.status, triggers=parts.triggers):
        try:
            for family, address in _addresses(settings.host, port):
                sockets.append(socket.create_server(address, family=family, backlog=BACKLOG))
        except OSError as error:
            for one in sockets:
                one.close()
            reason = str(error) if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
            raise SettingsError(f"Port {port} on {settings.host} cannot be had: {reason}") from error
    return sockets


def _addresses(host: str, port: int) -> Iterable[tuple[int, tuple[Any, ...]]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return dict.fromkeys((int(family), address) for family, _, _, _, address in found)


async def listen(runner: Runner, sockets: Sequence[socket.socket]) -> Sequence[Address]:
    addresses = []
    for one in sockets:
        await web.SockSite(runner, one, backlog=BACKLOG).start()
        address = Address(*one.getsockname()[:2])
        _log.info("server.listening", url=str(address))
        addresses.append(address)
    return addresses
