"""Keeps a small CRM, outbox/crm.db, in step: exactly once, because key and change are committed together."""

import json
import sqlite3
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from batchanator import Failed, JobContext, JobHandler, Outcome, Skipped, Succeeded
from samples.handlers.outbox import outbox, transaction

_ENTITIES = """CREATE TABLE IF NOT EXISTS entities (
  system TEXT, type TEXT, id TEXT, data TEXT NOT NULL, PRIMARY KEY (system, type, id)) WITHOUT ROWID"""
_APPLIED = """CREATE TABLE IF NOT EXISTS applied (
  idempotency_key TEXT PRIMARY KEY, job_id INTEGER, seq INTEGER, fence INTEGER NOT NULL) WITHOUT ROWID"""
# Writes nothing where this item, or a later line with its key, was applied already.
_APPLY = """INSERT INTO applied VALUES (?, ?, ?, ?) ON CONFLICT (idempotency_key) DO UPDATE
  SET job_id = excluded.job_id, seq = excluded.seq, fence = excluded.fence
  WHERE (excluded.job_id, excluded.seq) > (applied.job_id, applied.seq)"""
_UPSERT = "INSERT INTO entities VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET data = excluded.data"
_DELETE = "DELETE FROM entities WHERE (system, type, id) = (?, ?, ?)"


class EntityChange(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    external_system_id: str
    entity_type: str
    entity_id: str
    operation: Literal["create", "update", "delete"]
    data: dict[str, Any] | None = None


class DataSync(JobHandler[EntityChange]):
    job_type = "data-sync"

    def process(self, payload: EntityChange, context: JobContext) -> Outcome:
        if payload.operation != "delete" and payload.data is None:
            return Failed(f"{payload.operation} needs data", code="missing_data", permanent=True)
        with transaction(outbox() / "crm.db", _ENTITIES) as crm:
            crm.execute(_APPLIED)
            item = (context.idempotency_key, context.job_id, context.seq, context.fence)
            if crm.execute(_APPLY, item).rowcount == 0:
                return Succeeded({"operation": payload.operation, "applied": False})
            if not _change(crm, payload):
                return Skipped(f"{payload.entity_type} {payload.entity_id} is not there")
        return Succeeded({"operation": payload.operation, "applied": True})


def _change(crm: sqlite3.Connection, change: EntityChange) -> bool:
    entity = (change.external_system_id, change.entity_type, change.entity_id)
    if change.operation == "delete":
        return crm.execute(_DELETE, entity).rowcount == 1
    return crm.execute(_UPSERT, (*entity, json.dumps(change.data, sort_keys=True))).rowcount == 1
