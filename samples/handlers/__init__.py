"""The handlers of the samples: `python -m batchanator --handlers samples.handlers`."""

from samples.handlers.data_sync import DataSync
from samples.handlers.email_notification import EmailNotification
from samples.handlers.flaky import Flaky
from samples.handlers.ledger_entry import LedgerEntries
from samples.handlers.report_generation import generate_report

__all__ = ["DataSync", "EmailNotification", "Flaky", "LedgerEntries", "generate_report"]
