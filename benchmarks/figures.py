"""Figures, their targets, and the table and JSON that they are printed as."""

import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median
from typing import Literal

from batchanator.store.sqlite_library import dbapi

LIBRARIES = ("batchanator", "asyncpg", "uvloop", "aiosqlite", "pydantic", "orjson", "msgspec")


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be reached: at least or at most a value."""

    bound: Literal["≥", "≤"]
    value: float

    def met(self, figure: float) -> bool:
        return figure >= self.value if self.bound == "≥" else figure <= self.value

    def __str__(self) -> str:
        return f"{self.bound} {self.value:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of some samples, one a round."""

    bench: str
    name: str
    unit: str
    samples: list[float]
    target: Target | None = None

    @property
    def value(self) -> float:
        return median(self.samples)

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "ok" if self.target.met(self.value) else "MISSED"


@dataclass(slots=True)
class Report:
    figures: list[Figure] = field(default_factory=list)

    def add(
        self, bench: str, name: str, unit: str, samples: Sequence[float], target: Target | None = None
    ) -> None:
        self.figures.append(Figure(bench, name, unit, list(samples), target))

    def table(self) -> str:
        header = ("bench", "figure", "median", "least", "most", "unit", "target", "")
        rows = [header] + [
            (
                one.bench,
                one.name,
                number(one.value),
                number(min(one.samples)),
                number(max(one.samples)),
                one.unit,
                str(one.target or ""),
                one.verdict,
            )
            for one in self.figures
        ]
        widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
        right = {2, 3, 4}
        return "\n".join(
            "  ".join(
                cell.rjust(width) if i in right else cell.ljust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        )

    def json(self) -> str:
        figures = [{**asdict(one), "median": one.value, "verdict": one.verdict} for one in self.figures]
        return json.dumps({"conditions": conditions(), "figures": figures}, ensure_ascii=False, indent=2)


def conditions() -> dict[str, str]:
    """Return when and with what this runs; never where."""
    return {
        "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "sqlite": dbapi.sqlite_version,
        **{name: version(name) for name in LIBRARIES if name != "uvloop" or sys.platform != "win32"},
    }


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def ratios(a: Sequence[float], b: Sequence[float]) -> list[float]:
    """Return a ÷ b, round by round: what ran one after the other is compared, not two medians."""
    return [x / y for x, y in zip(a, b, strict=True)]
