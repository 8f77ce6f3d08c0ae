"""Whether this process can work: its database, the schema in it, and its own lease."""

from collections import Counter
from collections.abc import Mapping

from batchanator.api.service import Readiness
from batchanator.app.runtime import Runtime
from batchanator.dispatch.executor import Executor
from batchanator.domain.errors import SchemaError, StoreError
from batchanator.store.migrations import pending

_STUCK = {"threads": "in plain handlers that timed out", "children": "that were killed and have not ended"}


async def readiness(runtime: Runtime, processing: Executor) -> Readiness:
    """Ask over the connections that the work uses: those of the API may be busy with its readers.

    `processing` runs what comes by /process.
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
    checks.update(_worth_knowing(runtime, processing))
    return Readiness(checks, frozenset(failing))


def _worth_knowing(runtime: Runtime, processing: Executor) -> Mapping[str, str]:
    """Return what is shown and no reason to send work elsewhere.

    What was accepted waits for handlers that are away; others took the place of threads that are stuck.
    """
    checks = {}
    if runtime.target is not None:
        checks["handlers"] = runtime.target.describe()
    stuck = Counter(processing.stuck)
    if runtime.worker is not None:
        stuck.update(runtime.worker.executor.stuck)
        if refused := runtime.worker.dispatcher.settler.stale_settles:
            checks["settles"] = f"{refused} of this process were late and refused since its start"
    for kind, count in stuck.items():
        if count:
            checks[kind] = f"{count} stuck {_STUCK[kind]}"
    return checks
