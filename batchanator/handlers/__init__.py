from batchanator.domain.outcomes import Failed, Outcome, Skipped, Succeeded
from batchanator.handlers.answers import failure_from, storable, to_outcome, to_outcomes
from batchanator.handlers.base import JobHandler, SliceHandler, handler
from batchanator.handlers.context import JobContext, SliceContext
from batchanator.handlers.errors import InvalidPayloadError, InvalidResultError
from batchanator.handlers.payloads import PayloadReader
from batchanator.handlers.registered import RegisteredHandler
from batchanator.handlers.registry import Registry
from batchanator.handlers.results import encode_result
from batchanator.handlers.texts import sanitise

__all__ = [
    "Failed",
    "InvalidPayloadError",
    "InvalidResultError",
    "JobContext",
    "JobHandler",
    "Outcome",
    "PayloadReader",
    "RegisteredHandler",
    "Registry",
    "Skipped",
    "SliceContext",
    "SliceHandler",
    "Succeeded",
    "encode_result",
    "failure_from",
    "handler",
    "sanitise",
    "storable",
    "to_outcome",
    "to_outcomes",
]
