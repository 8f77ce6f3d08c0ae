"""Books a slice of entries in one transaction: for targets that take many at a time."""

from collections.abc import Sequence
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from batchanator import Outcome, Skipped, SliceContext, SliceHandler
from samples.handlers.outbox import outbox, transaction

_ENTRIES = """CREATE TABLE IF NOT EXISTS entries (
  idempotency_key TEXT PRIMARY KEY, account TEXT NOT NULL, amount TEXT NOT NULL, currency TEXT NOT NULL)
  WITHOUT ROWID"""
# The key is the entry's identity, so booking it again changes nothing.
_BOOK = """INSERT INTO entries VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
  SET account = excluded.account, amount = excluded.amount, currency = excluded.currency"""


class Entry(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    account_id: str
    amount: Decimal
    currency: str = Field(pattern="^[A-Z]{3}$")


class LedgerEntries(SliceHandler[Entry]):
    job_type = "ledger-entry"
    slice_size = 100

    def process(self, payloads: Sequence[Entry], context: SliceContext) -> Sequence[Outcome | None]:
        rows = [
            (item.idempotency_key, entry.account_id, str(entry.amount), entry.currency)
            for entry, item in zip(payloads, context.items, strict=True)
            if entry.amount
        ]
        with transaction(outbox() / "ledger.db", _ENTRIES) as ledger:
            ledger.executemany(_BOOK, rows)
        return [None if entry.amount else Skipped("nothing to book") for entry in payloads]
