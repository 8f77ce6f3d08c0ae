"""The bytes of a source as they lie on disk or arrive, with a look ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

RAW_BLOCK_BYTES: Final = 64 << 10


class RawReader:
    """Raw bytes from any `read(n)`. `position` counts those handed out."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._ahead = b""
        self._used = 0  # of what was read ahead
        self.position = 0

    def read(self, n: int) -> bytes:
        """Return 1 to n bytes, b"" at the end only."""
        if self._used == len(self._ahead):
            data = self._read(n)
        else:
            data = self._ahead[self._used : self._used + n]
            self._used += len(data)
        self.position += len(data)
        return data

    def peek(self, n: int) -> bytes:
        """Return the next n bytes, fewer at the end only, without taking them."""
        while len(self._ahead) - self._used < n and (more := self._read(max(n, RAW_BLOCK_BYTES))):
            self._ahead = self._ahead[self._used :] + more
            self._used = 0
        return self._ahead[self._used : self._used + n]

    def take(self, n: int) -> bytes:
        """Return the next n bytes, fewer at the end only."""
        data = self.peek(n)
        self._used += len(data)
        self.position += len(data)
        return data

    def give_back(self, data: bytes) -> None:
        """Put back the last bytes that were taken."""
        self._ahead = data + self._ahead[self._used :]
        self._used = 0
        self.position -= len(data)

    def moved_to(self, position: int) -> None:
        """Forget what was read ahead: the file beneath stands at `position` now."""
        self._ahead, self._used, self.position = b"", 0, position
