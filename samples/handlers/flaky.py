"""Fails on purpose and by plan, to watch retries and the dead letter at work: no dice."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from batchanator import Failed, JobContext, JobHandler, Outcome, Succeeded


class Plan(BaseModel):
    """Fail the first `fail_times` attempts, or the first one for good."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    fail_times: int = Field(default=0, ge=0)
    permanent: bool = False


class Flaky(JobHandler[Plan]):
    job_type = "flaky-demo"
    max_attempts = 4
    max_retry_delay = 2  # seconds: nobody wants to watch 2, 4, 8, 16

    async def process(self, payload: Plan, context: JobContext) -> Outcome:
        if payload.permanent:
            return Failed("this one never works", code="hopeless", permanent=True)
        if context.attempt <= payload.fail_times:
            context.log.info("flaky.failed", planned=payload.fail_times)
            return Failed(f"attempt {context.attempt} of {payload.fail_times} that fail", code="flaky")
        return Succeeded({"attempts": context.attempt})
