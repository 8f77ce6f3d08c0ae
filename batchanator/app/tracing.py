"""Whether there are spans: as `Tracing` says."""

from batchanator.domain.errors import SettingsError
from batchanator.domain.tracing import NO_SPANS, Spans
from batchanator.settings import Settings


def spans_of(settings: Settings) -> Spans:
    """Return what makes spans; nothing of OpenTelemetry is imported where nobody wants any.

    Raises:
        SettingsError: they are wanted, and the extra is not installed.
    """
    if not settings.tracing:
        return NO_SPANS
    try:
        from batchanator.telemetry.tracing import open_telemetry  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise SettingsError(f"Tracing: {error}; install batchanator[otel]") from error
    return open_telemetry()
