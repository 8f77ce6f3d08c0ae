"""What a process tells of its work for its metrics: by statement, slice, portion, run or request, never by item."""

from collections.abc import Mapping
from typing import Literal

UploadResult = Literal["sealed", "failed", "broken_off"]
CronResult = Literal["succeeded", "failed", "skipped", "lost"]


class Observer:
    """Hears all of it and takes no note; what keeps metrics does."""

    __slots__ = ()

    def claimed(self, slices: int, seconds: float) -> None:
        """Hear of a claim that was answered, with how many slices."""

    def settled(self, slices: int, seconds: float) -> None:
        """Hear of a settle that was answered: slices in it, and how long its statement took."""

    def ended(self, job_type: str, outcomes: Mapping[str, int]) -> None:
        """Hear how many items of a slice a settle wrote with which outcome."""

    def refused(self) -> None:
        """Hear of a slice whose settle came too late."""

    def lapsed(self, slices: int) -> None: ...

    def crashed(self, items: int) -> None:
        """Hear of items that were made dead because workers died with them."""

    def cancelled(self, slices: int) -> None:
        """Hear of free slices of stopping jobs that were settled as cancelled."""

    def ingested(self, accepted: int, duplicates: int, rejected: int) -> None:
        """Hear of lines that are committed."""

    def uploaded(self, result: UploadResult) -> None: ...

    def cron_run(self, name: str, result: CronResult) -> None: ...

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Hear of a request of a route, named by its template, that was answered to its end."""


NOBODY = Observer()
