"""A handler that computes, in children of the process."""

import os
import time

from batchanator.domain.outcomes import Outcome
from batchanator.handlers.base import handler
from batchanator.handlers.context import JobContext
from tests.process.handlers import Work, answer, note


@handler("computing", cpu_bound=True, max_attempts=2)
def computing(work: Work, context: JobContext) -> Outcome:
    note("start", context)
    if work.crash == "exit":
        os._exit(13)
    time.sleep(work.ms / 1000)
    note("end", context)
    return answer(work, context.attempt)
