"""Who may do what: roles, and callers that hold some of them, for every job type or a few."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Role = Literal["read", "submit", "operate", "process", "admin"]

LONGEST_NAME: Final = 100
_IMPLIED: Final[dict[Role, frozenset[Role]]] = {
    "read": frozenset({"read"}),
    "submit": frozenset({"submit"}),
    "operate": frozenset({"operate", "read"}),  # nobody can operate what they cannot see
    "process": frozenset({"process"}),
    "admin": frozenset({"read", "submit", "operate", "process", "admin"}),
}


def implied(roles: Iterable[Role]) -> frozenset[Role]:
    """Return everything that the roles let their holder do."""
    return frozenset().union(*(_IMPLIED[role] for role in roles))


def is_name(name: str) -> bool:
    """Tell whether a key may be called that; in the record of actions `cli:…` is who asked at a terminal."""
    return 0 < len(name) <= LONGEST_NAME and name.isprintable() and ":" not in name


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request. `name` is None of a caller without a key; `job_types` is None where all are meant."""

    name: str | None
    roles: frozenset[Role]
    job_types: frozenset[str] | None = None

    @property
    def actor(self) -> str:
        """What the record of actions calls it."""
        return "api" if self.name is None else self.name

    def sees(self, job_type: str) -> bool:
        return self.job_types is None or job_type in self.job_types


ANYBODY: Final = Caller(None, implied(["admin"]))
"""The caller while no keys are configured: whoever reaches the address."""

NOBODY: Final = Caller(None, frozenset())
"""The caller without a key while keys are configured."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is configured: the SHA-256 of what its holder sends, never that itself."""

    digest: bytes
    caller: Caller
