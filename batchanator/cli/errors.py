"""Errors as people at a terminal read them: one line on stderr, and an exit code."""

import click

from batchanator.domain.errors import BatchanatorError, HandlerError, SettingsError, UnknownJobTypeError
from batchanator.domain.masking import escape_controls, mask_credentials


class UsageError(BatchanatorError):
    """What was asked for cannot be done as it was written: exit 2."""


class DatabaseError(BatchanatorError):
    """What the database said, and which one it was: without a password."""


def refused(error: BatchanatorError) -> click.ClickException:
    """Return the click error for one of ours: 2 where the caller has to write something else, 1 otherwise."""
    text = " ".join(str(error).split()) or type(error).__name__
    is_usage = isinstance(error, SettingsError | HandlerError | UnknownJobTypeError | UsageError)
    shown = _Misused if is_usage else click.ClickException
    return shown(escape_controls(mask_credentials(text)))


class _Misused(click.ClickException):
    exit_code = 2
