"""The scheduler of a process, wired: each scheduled job with what does its work."""

import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from time import monotonic

from batchanator.app.schedules import DEAD_LETTER_RETRY, EXPIRED_LOCK_RELEASE, STALE_JOB_CLEANUP, planned
from batchanator.dispatch.duties import Duties
from batchanator.dispatch.lease import Lease
from batchanator.domain.observing import NOBODY, Observer
from batchanator.domain.submission import JobOptions, Request
from batchanator.ingest.paths import resolve
from batchanator.ingest.submitting import Submitter
from batchanator.schedule.folders import files_in
from batchanator.schedule.ingestion import Files, StagingTable, Version
from batchanator.schedule.maintenance import TOO_YOUNG, DeadLetterRetry, StaleJobCleanup
from batchanator.schedule.runs import CronJob
from batchanator.schedule.scheduler import Scheduler
from batchanator.settings import ScheduledIngestionJob, Settings
from batchanator.store.store import Store
from batchanator.store.wakeups import Wakeups

Work = Callable[[], Awaitable[str]]


class Scheduling:
    """Builds the scheduler; `duties` are those of this process's worker, where it has one."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        wakeups: Wakeups,
        lease: Lease,
        *,
        submitter: Submitter,
        roots: Sequence[Path],
        duties: Duties,
        observer: Observer = NOBODY,
    ) -> None:
        self._settings = settings
        self._store = store
        self._wakeups = wakeups
        self._lease = lease
        self._submitter = submitter
        self._roots = roots
        self._duties = duties
        self._observer = observer

    def scheduler(self) -> Scheduler:
        jobs = [
            CronJob(job.schedule, self._work(job.schedule.name, job.ingestion))
            for job in planned(self._settings)
            if job.enabled
        ]
        scheduler = Scheduler(
            self._store, jobs, worker=lambda: self._lease.incarnation, observer=self._observer
        )
        self._lease.on_lost.append(lambda _incarnation: scheduler.runs.drop_all())
        return scheduler

    def _work(self, name: str, ingestion: ScheduledIngestionJob | None) -> Work:
        if ingestion is not None:
            return self._ingestion(name, ingestion)
        works: dict[str, Work] = {
            STALE_JOB_CLEANUP: StaleJobCleanup(self._store, self._wakeups, old_enough=self._old_enough).run,
            DEAD_LETTER_RETRY: DeadLetterRetry(self._store, self._wakeups).run,
            EXPIRED_LOCK_RELEASE: self._release_expired,
        }
        return works[name]

    def _ingestion(self, name: str, given: ScheduledIngestionJob) -> Work:
        options = JobOptions(on_duplicate=self._settings.on_duplicate, strict=self._settings.strict)
        if given.file_path is None and given.folder is None:
            return StagingTable(self._submitter, given.job_type, options).run
        listing: Callable[[], Sequence[str]]
        if given.folder is not None:
            listing = partial(files_in, given.folder, given.pattern, self._roots)
        else:
            listing = partial(list, (given.file_path,))
        return Files(
            self._submitter,
            given.job_type,
            options,
            listing=listing,
            look=partial(version_of, name, self._roots),
            all_must_be_there=given.folder is None,
        ).run

    async def _release_expired(self) -> str:
        if not self._old_enough():
            return TOO_YOUNG
        freed = await self._duties.recover(bury=True)
        await self._duties.bury()
        if freed:
            self._wakeups.tell("ready")
        return f"freed {freed} {'slice' if freed == 1 else 'slices'}"

    def _old_enough(self) -> bool:
        """After an outage the living report first: within a heartbeat and a poll."""
        return (
            monotonic() - self._lease.began > (self._settings.heartbeat + self._settings.poll).total_seconds()
        )


def version_of(name: str, roots: Sequence[Path], path: str) -> Version:
    """Find a file; the request that it makes of the job `name` is another one whenever the file is."""
    opened = resolve(path, roots)
    opened.file.close()
    one = opened.identity
    told = f"{one.host}\0{one.root}\0{one.path}\0{one.inode}\0{one.size}\0{one.mtime_ns}"
    digest = hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()
    return Version(path, Request(f"cron {name} {digest}", digest), time.time() - one.mtime_ns / 1e9)
