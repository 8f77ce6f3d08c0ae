"""Renders a message and leaves it in outbox/emails: the same file however often it runs."""

import asyncio
import re
from email.message import EmailMessage
from email.policy import SMTP

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from batchanator import Failed, JobContext, JobHandler, Outcome, Succeeded
from samples.handlers.outbox import outbox, safe_name, write_once

TEMPLATES = {
    "plain": "{{body}}",
    "welcome": "Welcome, {{name}}!\n\n{{body}}\n\nGood to have you with us.",
    "reminder": "Dear {{name}},\n\n{{body}}\n\nThis is a reminder; if you have done so already, thank you.",
}
_PLACE = re.compile(r"{{\s*(\w+)\s*}}")


class Email(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    to: str = Field(pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$")
    subject: str
    body: str
    template_id: str = "plain"
    template_variables: dict[str, str | int | float] = {}


class EmailNotification(JobHandler[Email]):
    job_type = "email-notification"

    async def process(self, payload: Email, context: JobContext) -> Outcome:
        template = TEMPLATES.get(payload.template_id)
        if template is None:
            return Failed(f"no template {payload.template_id!r}", code="unknown_template", permanent=True)
        variables = {name: str(value) for name, value in payload.template_variables.items()}
        try:
            body = render(template, variables | {"body": render(payload.body, variables)})
            subject = render(payload.subject, variables)
        except KeyError as error:
            return Failed(f"no value for {{{{{error.args[0]}}}}}", code="missing_variable", permanent=True)
        name = safe_name(context.idempotency_key)
        message = EmailMessage(policy=SMTP)
        message["From"] = "samples@batchanator.example"
        message["To"] = payload.to
        message["Subject"] = " ".join(subject.split())  # a line break would begin another header
        message["Message-ID"] = f"<{name}@batchanator.example>"
        message.set_content(body)
        path = outbox("emails") / f"{name}.eml"
        await asyncio.to_thread(write_once, path, message.as_bytes())
        return Succeeded({"messageId": message["Message-ID"], "file": path.name})


def render(text: str, variables: dict[str, str]) -> str:
    """Fill in the places like {{name}}; a KeyError names one without a value."""
    return _PLACE.sub(lambda place: variables[place[1]], text)
