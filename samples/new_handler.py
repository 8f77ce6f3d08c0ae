from pydantic import BaseModel

from batchanator import JobContext, JobHandler, Outcome, Succeeded


class Greeting(BaseModel):
    name: str


class Greet(JobHandler[Greeting]):
    job_type = "greeting"

    async def process(self, payload: Greeting, context: JobContext) -> Outcome:
        return Succeeded({"key": context.idempotency_key, "greeting": f"Hello, {payload.name}!"})
