"""A target that is away is left alone for a while, tried by one request, and used again at its first answer."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from batchanator.domain.circuit import (
    CLOSED,
    Circuit,
    CircuitPolicy,
    Closed,
    Open,
    Trying,
    admits,
    answered,
    dropped,
    failed,
    sent,
)

POLICY = CircuitPolicy(threshold=3, first=0.5, cap=30)
CHANCE = st.floats(0, 1, exclude_max=True)


def fails(circuit: Circuit, now: float = 0.0, *, certain: bool = True, wait: float | None = None) -> Circuit:
    return failed(circuit, POLICY, now=now, jitter=0.0, certain=certain, wait=wait)


def test_a_refused_connection_opens_at_once_and_a_broken_one_the_third_time() -> None:
    assert fails(CLOSED) == Open(0.5, 1)
    once = fails(CLOSED, certain=False)
    assert once == Closed(1)
    assert fails(once, certain=False) == Closed(2)
    assert fails(Closed(2), certain=False) == Open(0.5, 1)


def test_an_answer_forgets_the_failures_before_it() -> None:
    assert answered(Closed(2)) == CLOSED
    assert answered(Trying(7)) == CLOSED


def test_an_open_circuit_is_moved_by_nothing_but_time() -> None:
    there = Open(5.0, 2)
    assert fails(there, 1.0) == there
    assert answered(there) == there
    assert not admits(there, 4.9)
    assert admits(there, 5.0)


def test_a_trial_that_was_given_up_leaves_room_for_the_next() -> None:
    trying = sent(Open(1.0, 4))
    assert trying == Trying(4)
    assert not admits(trying, 100.0)
    assert admits(dropped(trying, 7.0), 7.0)
    assert dropped(Closed(1), 7.0) == Closed(1)


def test_what_the_target_asked_for_takes_the_place_of_the_back_off_up_to_the_cap() -> None:
    assert fails(CLOSED, 10.0, wait=7.0) == Open(17.0, 1)
    assert fails(CLOSED, 10.0, wait=1e9) == Open(40.0, 1)
    assert fails(CLOSED, 10.0, wait=-5.0) == Open(10.0, 1)


@given(st.integers(1, 10**6), CHANCE)
def test_waits_double_up_to_the_cap_and_keep_half_of_it(times: int, jitter: float) -> None:
    wait = POLICY.wait(times, jitter=jitter)
    full = min(POLICY.cap, POLICY.first * 2 ** min(times - 1, 100))
    assert full / 2 < wait <= full


class Machine(RuleBasedStateMachine):
    """Many requests under way at once, ending in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.circuit: Circuit = CLOSED
        self.now = 0.0
        self.under_way = 0

    @rule(seconds=st.floats(0, 60))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def send(self) -> None:
        if admits(self.circuit, self.now):
            self.circuit = sent(self.circuit)
            self.under_way += 1

    @precondition(lambda self: self.under_way)
    @rule()
    def answer(self) -> None:
        self.under_way -= 1
        before = self.circuit
        self.circuit = answered(self.circuit)
        assert isinstance(self.circuit, Open if isinstance(before, Open) else Closed)

    @precondition(lambda self: self.under_way)
    @rule(certain=st.booleans(), jitter=CHANCE, wait=st.none() | st.floats(0, 1e6))
    def fail(self, certain: bool, jitter: float, wait: float | None) -> None:
        self.under_way -= 1
        before = self.circuit
        self.circuit = failed(self.circuit, POLICY, now=self.now, jitter=jitter, certain=certain, wait=wait)
        if isinstance(before, Trying):
            assert isinstance(self.circuit, Open)
            assert self.circuit.times == before.times + 1

    @precondition(lambda self: self.under_way)
    @rule()
    def drop(self) -> None:
        self.under_way -= 1
        self.circuit = dropped(self.circuit, self.now)

    @invariant()
    def never_open_for_longer_than_the_cap(self) -> None:
        if isinstance(self.circuit, Open):
            assert self.circuit.until <= self.now + POLICY.cap
            assert admits(self.circuit, self.now + POLICY.cap)

    @invariant()
    def never_stuck(self) -> None:
        """A trial is always some request's that will end."""
        if isinstance(self.circuit, Trying):
            assert self.under_way


TestMachine = Machine.TestCase
