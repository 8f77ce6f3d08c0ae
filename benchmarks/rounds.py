"""Rounds that end in bounded time, and what is measured in one."""

import gc
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from benchmarks.places import Place

STEP_SECONDS = 180.0
"""No single measured step may take longer; it is cancelled then, and the bench fails."""


@dataclass(frozen=True)
class Plan:
    """How much is asked for; `minutes` bounds each bench: no further round begins after it."""

    items: int = 200_000
    rounds: int = 5
    minutes: float = 4.0

    def each_round(self) -> Iterator[int]:
        end = time.monotonic() + self.minutes * 60
        for number in range(self.rounds):
            if number and time.monotonic() > end:
                print(f"  out of time after {number} rounds", file=sys.stderr)
                return
            yield number


@dataclass(slots=True)
class Cost:
    """What something took. `cpu` is this process, all threads; `server_cpu` and `wal` are 0 without a server."""

    seconds: float = 0.0
    cpu: float = 0.0
    server_cpu: float = 0.0
    wal: int = 0


class Meter:
    """Measures between `start` and `stop`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._cost = Cost()

    async def start(self) -> Self:
        gc.collect()
        self._cost.wal = await self._place.wal_position()
        self._cost.server_cpu = self._place.server_cpu()
        self._cost.cpu = time.process_time()
        self._cost.seconds = time.perf_counter()
        return self

    async def stop(self) -> Cost:
        end, cpu, server_cpu = time.perf_counter(), time.process_time(), self._place.server_cpu()
        begun = self._cost
        return Cost(
            end - begun.seconds,
            cpu - begun.cpu,
            server_cpu - begun.server_cpu,
            await self._place.wal_position() - begun.wal,
        )
