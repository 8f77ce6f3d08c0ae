"""Whether this process can work: its database, the schema in it, and its own lease."""

from batchanator.api.service import Readiness
from batchanator.app.runtime import Runtime
from batchanator.domain.errors import SchemaError, StoreError
from batchanator.handlers.threads import HandlerThreads
from batchanator.store.migrations import pending


async def readiness(runtime: Runtime, threads: HandlerThreads) -> Readiness:
    """Ask over the connections that the work uses: those of the API may be busy with its readers.

    `threads` are those of /process. Stuck ones are shown and no reason to send work elsewhere: others took their place.
    Nor are settles that came too late.
    """
    checks = {"database": runtime.store.driver.engine, "schema": "up to date", "worker": "no work here"}
    failing = set()
    try:
        missing = await pending(runtime.store.driver)
        if missing:
            checks["schema"] = f"lacks migration {missing[0].version:04d}"
            failing.add("schema")
    except SchemaError:
        checks["schema"] = "not the one of this program"
        failing.add("schema")
    except StoreError:
        checks["database"] += ", cannot be reached"
        failing.add("database")
        del checks["schema"]
    if runtime.lease is not None:
        holds = runtime.lease.incarnation is not None
        checks["worker"] = f"lease held by {runtime.lease.incarnation}" if holds else "the lease was lost"
        if not holds:
            failing.add("worker")
    stuck = threads.stuck + (0 if runtime.worker is None else runtime.worker.executor.stuck_threads)
    if stuck:
        checks["threads"] = f"{stuck} stuck in plain handlers that timed out"
    refused = 0 if runtime.worker is None else runtime.worker.dispatcher.settler.stale_settles
    if refused:
        checks["settles"] = f"{refused} of this process were late and refused since its start"
    return Readiness(checks, frozenset(failing))
