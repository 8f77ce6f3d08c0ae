"""What a process runs, and what its commands are made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parts:
    """What a process runs of it."""

    dispatch: bool = True
    ingest: bool = True
    handlers: bool = True
    """Handlers run here; where they do not, what is dispatched goes to `ApiBaseUrl`."""
    schedule: bool = False
    status: bool = True
    """The routes for status, control and /process are served."""
    triggers: bool = True

    @property
    def roles(self) -> str:
        names = ("dispatch", "ingest", "schedule")
        return ",".join(name for name in names if getattr(self, name))


EVERYTHING = Parts(schedule=True)
API = Parts(dispatch=False, ingest=False, triggers=False)
SCHEDULER = Parts(handlers=False, status=False, schedule=True)
