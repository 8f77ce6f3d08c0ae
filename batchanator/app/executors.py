"""What runs the handlers of this process: here, and in children where they compute."""

import os
from functools import partial

from batchanator.dispatch.executor import Executor
from batchanator.dispatch.executors.processes import ProcessExecutor
from batchanator.dispatch.executors.router import Router
from batchanator.dispatch.runners import LocalExecutor
from batchanator.handlers.registry import Registry
from batchanator.logs import configure_logging
from batchanator.settings import Settings


def new_executor(registry: Registry, settings: Settings) -> Executor:
    """Return an executor that is not started yet."""
    here = LocalExecutor(settings.max_concurrency_per_worker)
    sources = [handler.source for handler in registry if handler.place == "child"]
    if not sources:
        return here
    set_up = partial(configure_logging, settings.log_format, settings.log_level)
    count = settings.handler_processes or os.cpu_count() or 1
    return Router({"here": here, "child": ProcessExecutor(count, sources, set_up)})
