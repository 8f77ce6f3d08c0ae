"""Chunks of direct items and staging rows: each has its key beside its payload, and is judged like a line."""

import hashlib
from collections.abc import Sequence

from batchanator.domain.submission import Entry
from batchanator.ingest.chunk import Chunk, payload_hash
from batchanator.ingest.verdicts import MAX_LINE_BYTES, Refusal, RejectCode, check_key, check_payload, refusal


def chunk_of(
    entries: Sequence[Entry], *, first_line: int, chain: bytes, max_bytes: int = MAX_LINE_BYTES
) -> Chunk:
    """Judge entries as lines `first_line …`; offsets count entries."""
    begin = first_line - 1
    digest = hashlib.sha256(chain)
    chunk = Chunk(first_line, len(entries), len(entries), begin, begin + len(entries), b"")
    seen: dict[str, int] = {}
    for line, entry in enumerate(entries, first_line):
        raw = entry.raw or entry.payload or b""
        digest.update(raw)
        verdict = _judge(entry, max_bytes)
        if isinstance(verdict, Refusal):
            chunk.rejects.append(verdict.at(line, raw))
            continue
        key, payload = verdict
        hashed = payload_hash(payload)
        if key in seen:
            chunk.repeats.append((line, seen[key], hashed, payload))
            continue
        seen[key] = len(chunk.keys)
        chunk.keys.append(key)
        chunk.seqs.append(line)
        chunk.payloads.append(payload)
        chunk.hashes.append(hashed)
    chunk.chain = digest.digest()
    return chunk


def _judge(entry: Entry, max_bytes: int) -> tuple[str, bytes] | Refusal:
    if entry.fault is not None:
        return refusal(RejectCode(entry.fault))
    key = entry.key
    code = check_key(key)
    if code is not None:
        return refusal(code)
    assert isinstance(key, str)
    if entry.payload is None:
        return refusal(RejectCode.NOT_JSON, "the payload is missing")
    wrong = check_payload(entry.payload, max_bytes=max_bytes)
    return wrong if wrong is not None else (key, entry.payload)
