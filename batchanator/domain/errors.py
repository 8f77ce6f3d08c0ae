"""The errors that cross a layer. Drivers translate their library's into these; the API maps them to answers."""


class BatchanatorError(Exception):
    """Base of every error that Batchanator raises on purpose."""


class SettingsError(BatchanatorError):
    """A setting is unknown or has a wrong value. The message is one line and names it."""


class HandlerError(BatchanatorError):
    """A handler cannot be found or used. The message is one line and says what to change."""


class NotFoundError(BatchanatorError):
    """There is no such job, batch, item, job type or source file."""


class UnknownJobTypeError(BatchanatorError):
    """The job type has no row. `known` are those that have one."""

    def __init__(self, job_type: str, known: list[str]) -> None:
        names = ", ".join(sorted(known)) or "none yet"
        super().__init__(f"unknown job type {job_type!r}; known: {names}")
        self.job_type = job_type
        self.known = sorted(known)


class ConflictError(BatchanatorError):
    """The request does not fit the state that its object is in."""


class RequestRunsError(BatchanatorError):
    """A request with the same key is still being carried out."""


class UploadError(BatchanatorError):
    """The source that was sent failed, and its job with it. `code` as in SourceError."""

    def __init__(self, job_id: int, error: "SourceError") -> None:
        super().__init__(error.detail)
        self.job_id = job_id
        self.code = error.code


class LeaseLostError(BatchanatorError):
    """A guarded write found that someone else holds the lease or the fence now."""


class SourceError(BatchanatorError):
    """A source is cut, damaged, changed or not a line-delimited text. `code` is stable, the text is one sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class StoreError(BatchanatorError):
    """The database refused or failed."""


class UnavailableError(StoreError):
    """The database cannot be reached, is read-only or starting, or no connection came in time. Try again later."""


class OutcomeUnknownError(UnavailableError):
    """The connection was lost while a COMMIT was under way: it may have happened. Never run the same again blindly."""


class TransientError(StoreError):
    """A deadlock, serialisation failure or lock time-out: the transaction is gone, the whole of it may be run again."""


class UniqueError(StoreError):
    """A unique constraint refused a row."""


class SchemaError(StoreError):
    """The schema is newer than this program, edited after it was applied, or not there."""
