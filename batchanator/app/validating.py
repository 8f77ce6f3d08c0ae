"""Read a file as ingestion would, without a database: what would be rejected, comes twice, or does not fit the model.

Nothing is written. Per line some 200 bytes are held, to find keys that come twice.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import blake2b

from batchanator.app.sources import NamedFile
from batchanator.handlers.errors import InvalidPayloadError
from batchanator.handlers.payloads import Payloads
from batchanator.ingest.chunk import Chunk, read_chunks
from batchanator.ingest.paths import resolve
from batchanator.ingest.source import open_source
from batchanator.settings import Settings

AT_A_TIME = 200
REJECTED, DUPLICATE, CONFLICT, INVALID = "rejected", "duplicate", "conflict", "invalid"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a line; `pointer` is the JSON pointer of the first field at fault."""

    line: int
    kind: str
    code: str
    pointer: str
    message: str


@dataclass(slots=True)
class Validation:
    """lines = items + duplicates + conflicts + rejected; an `invalid` item would be a dead letter at once."""

    physical: int = 0
    lines: int = 0
    items: int = 0
    rejected: int = 0
    duplicates: int = 0
    conflicts: int = 0
    invalid: int = 0

    @property
    def blank(self) -> int:
        return self.physical - self.lines

    @property
    def is_clean(self) -> bool:
        return not (self.rejected or self.duplicates or self.conflicts or self.invalid)


class Validator:
    """Goes through one file. `position` of `size` bytes are read."""

    def __init__(self, file: NamedFile, payloads: Payloads, settings: Settings) -> None:
        self._file = file
        self._payloads = payloads
        self._chunk_size = settings.chunk_size
        self._max_line_bytes = settings.max_line_bytes
        self._seen: dict[int, tuple[int, int]] = {}
        self.counts = Validation()
        self.size = file.path.stat().st_size
        self.position = 0

    def findings(self) -> Iterator[list[Finding]]:
        """Yield each chunk's findings in the order of lines. Raises SourceError for the file as a whole."""
        source = open_source(resolve(self._file.path.name, [self._file.path.parent]))
        with closing(source):
            for chunk in read_chunks(source, size=self._chunk_size, max_line_bytes=self._max_line_bytes):
                self.position = source.position
                yield sorted(self._chunk(chunk), key=lambda finding: finding.line)
            source.verify_unchanged()

    def _chunk(self, chunk: Chunk) -> list[Finding]:
        counts = self.counts
        counts.physical += chunk.physical
        counts.lines += chunk.lines
        counts.rejected += len(chunk.rejects)
        found = [
            Finding(one.line, REJECTED, str(one.code), one.pointer, one.message) for one in chunk.rejects
        ]
        fresh: list[int] = []
        for index, key in enumerate(chunk.keys):
            again = self._again(key, chunk.seqs[index], chunk.hashes[index])
            if again is None:
                fresh.append(index)
            else:
                found.append(again)
        for line, index, payload_hash, _ in chunk.repeats:
            again = self._again(chunk.keys[index], line, payload_hash)
            assert again is not None
            found.append(again)
        counts.items += len(fresh)
        for start in range(0, len(fresh), AT_A_TIME):
            found += self._invalid(chunk, fresh[start : start + AT_A_TIME])
        return found

    def _again(self, key: str, line: int, payload_hash: int) -> Finding | None:
        """Remember a key by 16 bytes of its hash; return the finding where it came before."""
        digest = int.from_bytes(blake2b(key.encode(), digest_size=16).digest(), "big")
        first, first_hash = self._seen.setdefault(digest, (line, payload_hash))
        if first == line:
            return None
        pointer, where = "/idempotency_key", f"line {first}"
        if first_hash == payload_hash:
            self.counts.duplicates += 1
            return Finding(line, DUPLICATE, "duplicate", pointer, f"the same line as {where}")
        self.counts.conflicts += 1
        return Finding(line, CONFLICT, "conflict", pointer, f"the key of {where} with another payload")

    def _invalid(self, chunk: Chunk, indexes: Sequence[int]) -> Iterator[Finding]:
        """Validate some payloads in one call, and one by one where that fails."""
        body = b"[%b]" % b",".join([chunk.payloads[index] for index in indexes])
        try:
            self._payloads.read_slice(body, [chunk.keys[index] for index in indexes])
        except InvalidPayloadError:
            for index in indexes:
                try:
                    self._payloads.read_one(chunk.payloads[index], chunk.keys[index])
                except InvalidPayloadError as error:
                    self.counts.invalid += 1
                    seq = chunk.seqs[index]
                    yield Finding(seq, INVALID, "invalid_payload", error.pointer, error.message)
