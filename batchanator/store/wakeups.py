"""Who waits for work and who makes some: events in this process, and what other processes are told.

Other processes hear it where the database can carry a word (PostgreSQL); everywhere a jittered poll finds the rest.
"""

import asyncio
from typing import Literal

Shared = Literal["ready", "due", "sources", "stopped", "changed"]
SHARED: tuple[Shared, ...] = ("ready", "due", "sources", "stopped", "changed")


class Wakeups:
    def __init__(self) -> None:
        self.ready = asyncio.Event()
        """Slices may have become ready."""
        self.due = asyncio.Event()
        """Slices wait for a time that may be earlier than the one known."""
        self.sources = asyncio.Event()
        """A job's source is to be read."""
        self.stopped = asyncio.Event()
        """A job is stopping: its free slices are to be settled as cancelled."""
        self.changed = asyncio.Event()
        """An operator has changed what may run, or how."""
        self.ended = asyncio.Event()
        """The settle of this process ended a job."""
        self.untold: set[Shared] = set()
        """What other processes have not been told yet."""
        self.to_tell = asyncio.Event()

    def tell(self, *what: Shared) -> None:
        """Wake this process now, and the others soon: call it after the commit."""
        self.wake(*what)
        self.untold.update(what)
        self.to_tell.set()

    def wake(self, *what: Shared) -> None:
        for name in what:
            event: asyncio.Event = getattr(self, name)
            event.set()


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set or the time is over, and clear it."""
    if not event.is_set():
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return
    event.clear()
