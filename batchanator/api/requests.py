"""What the bodies of requests hold."""

import dataclasses
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from batchanator.api.bodies import parse
from batchanator.api.problems import invalid
from batchanator.domain.submission import JobOptions, OnDuplicate

_Count = Annotated[int, Meta(ge=1, le=10_000)]
_Priority = Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
_Whole = Annotated[int, Meta(ge=0, le=2**62)]
_Rate = Annotated[float, Meta(gt=0, le=1_000_000)]
LONGEST_NAME = 200


class Options(Struct, rename="camel", forbid_unknown_fields=True):
    on_duplicate: OnDuplicate | None = None
    strict: bool | None = None
    priority: _Priority | None = None
    max_concurrency: _Count | None = None
    slice_size: _Count | None = None


class FileTrigger(Struct, rename="camel", forbid_unknown_fields=True):
    file_path: str
    job_name: str | None = None
    options: Options | None = None


class DatabaseTrigger(Struct, rename="camel", forbid_unknown_fields=True):
    options: Options | None = None


class ItemsTrigger(Struct, rename="camel", forbid_unknown_fields=True):
    """Items are left as they came: each is judged by itself."""

    items: list[Raw]
    job_name: str | None = None
    options: Options | None = None


class JobChanges(Struct, rename="camel", forbid_unknown_fields=True):
    """What is named is changed; null lifts a limit."""

    priority: _Priority | UnsetType = UNSET
    max_concurrency: _Count | UnsetType | None = UNSET
    rate_per_second: _Rate | UnsetType | None = UNSET


class JobTypeChanges(Struct, rename="camel", forbid_unknown_fields=True):
    """What is named is changed; null lifts a limit."""

    paused: bool | UnsetType = UNSET
    max_concurrency: _Count | UnsetType | None = UNSET
    rate_per_second: _Rate | UnsetType | None = UNSET


def changes_of(asked: JobChanges | JobTypeChanges) -> dict[str, Any]:
    """Return what is to be changed, by the store's names. Raises ProblemError where nothing is."""
    named = {name: value for name, value in msgspec.structs.asdict(asked).items() if value is not UNSET}
    if not named:
        known = ", ".join(msgspec.structs.fields(asked)[index].encode_name for index in range(3))
        raise invalid("", f"name what is to be changed: {known}", "missing")
    if "rate_per_second" in named:
        named["rate"] = named.pop("rate_per_second")
    return named


class Process(Struct, rename="camel"):
    """One item to run here; fields that are not known are from a newer dispatcher, and left alone."""

    job_type: str
    idempotency_key: str
    payload: Raw
    job_id: _Whole = 0
    seq: _Whole = 0
    attempt: _Whole = 1
    fence: _Whole = 0


class BatchItem(Struct, rename="camel"):
    seq: _Whole
    idempotency_key: str
    payload: Raw
    attempt: _Whole = 1


class ProcessBatch(Struct, rename="camel"):
    job_type: str
    items: list[BatchItem]
    job_id: _Whole = 0
    fence: _Whole = 0


def job_options(given: Options | None, defaults: JobOptions) -> JobOptions:
    """Return the options of a new job: what was not given is as the configuration has it."""
    if given is None:
        return defaults
    named = {name: value for name, value in msgspec.structs.asdict(given).items() if value is not None}
    return dataclasses.replace(defaults, **named) if named else defaults


def job_name(given: str | None) -> str | None:
    if given is not None and (not 0 < len(given) <= LONGEST_NAME or not given.isprintable()):
        raise invalid("/jobName", f"jobName must be 1 to {LONGEST_NAME} printable characters")
    return given


def parse_database(body: bytes) -> DatabaseTrigger:
    return parse(body, DatabaseTrigger) if body.strip() else DatabaseTrigger()
