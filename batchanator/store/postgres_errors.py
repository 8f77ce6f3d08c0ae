"""What asyncpg raises, as errors of ours."""

import ssl

import asyncpg

from batchanator.domain.errors import (
    OutcomeUnknownError,
    StoreError,
    TransientError,
    UnavailableError,
    UniqueError,
)

_TRANSIENT = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
)
_UNAVAILABLE = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    ssl.SSLError,
    TimeoutError,
)
_LOST = (
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.ConnectionFailureError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


def translate(error: BaseException, *, committing: bool = False) -> StoreError:
    """Return our error for one of asyncpg's; `committing`: a lost connection leaves the outcome unknown."""
    text = str(error).strip() or type(error).__name__
    if isinstance(error, StoreError):
        return error
    if committing and isinstance(error, _LOST):
        return OutcomeUnknownError(text)
    if isinstance(error, asyncpg.UniqueViolationError):
        return UniqueError(text)
    if isinstance(error, _TRANSIENT):
        return TransientError(text)
    if isinstance(error, _UNAVAILABLE):
        return UnavailableError(text)
    return StoreError(text)


ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
