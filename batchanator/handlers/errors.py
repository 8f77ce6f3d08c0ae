from batchanator.domain.errors import BatchanatorError

INVALID_PAYLOAD = "invalid_payload"
"""The code of a failed attempt whose payload does not fit."""


class InvalidPayloadError(BatchanatorError):
    """A payload does not fit the handler's model.

    `pointer` is the JSON pointer of the first fault; `message` names every field and reason, never a value.
    """

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.message = message


class InvalidResultError(BatchanatorError):
    """A result has no JSON form that can be stored. The message says why, without the value."""
