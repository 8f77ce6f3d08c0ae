"""Handlers of the tests of the command line: what they do is in the payload, and a file opens a gate."""

from pathlib import Path
from time import sleep
from typing import Literal

from pydantic import BaseModel

from batchanator import Failed, Outcome, Skipped, Succeeded, handler

STARTED = Path("started")
GATE = Path("gate")


class Plan(BaseModel):
    do: Literal["succeed", "fail", "skip"] = "succeed"


class Nothing(BaseModel):
    pass


@handler("demo")
async def demo(payload: Plan) -> Outcome:
    if payload.do == "fail":
        return Failed("it said \x1b[31mno\x1b[0m", code="refused", permanent=True)
    return Skipped("nothing to do") if payload.do == "skip" else Succeeded({"did": "it"})


@handler("gated", slice_size=2)
def gated(_payload: Nothing) -> Outcome:
    """Wait for the gate, in a thread."""
    STARTED.touch()
    while not GATE.exists():
        sleep(0.01)
    return Succeeded()
