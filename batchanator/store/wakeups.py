"""Who waits for work and who makes some, in one process: events. Other processes are found by a jittered poll."""

import asyncio


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
        self.ended = asyncio.Event()
        """The settle of this process ended a job."""


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set or the time is over, and clear it."""
    if not event.is_set():
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return
    event.clear()
