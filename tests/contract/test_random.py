"""Many workers, in an order drawn by chance, against a plain account in memory of what each item must have become."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

import pytest

from batchanator.domain.errors import ConflictError
from batchanator.domain.submission import JobOptions
from batchanator.ingest.writer import Writer
from batchanator.store.limited import claim_limited
from batchanator.store.records import Claimed, ItemOutcome, SliceOutcome
from tests.contract.invariants import assert_consistent
from tests.contract.world import (
    ATTEMPTS,
    BAD,
    FATAL,
    GOOD,
    LATER,
    SKIP,
    Answer,
    World,
    entries,
    portions,
    settlement,
)

STEPS = 120
ANSWERS = (GOOD, GOOD, GOOD, BAD, BAD, LATER, FATAL, SKIP)
Key = tuple[int, int]


@dataclass
class Item:
    status: str = "open"  # open, due, later, or an end
    attempts: int = 0
    allowed: int = ATTEMPTS

    @property
    def is_open(self) -> bool:
        return self.status in {"open", "due", "later"}

    @property
    def word(self) -> str:
        return "retrying" if self.status in {"due", "later"} else self.status


@dataclass
class Job:
    items: dict[int, Item] = field(default_factory=dict)
    sealed: bool = False
    stopping: bool = False
    was_stopped: bool = False
    rounds: int = 1

    @property
    def ended(self) -> bool:
        return self.sealed and not any(item.is_open for item in self.items.values())


@dataclass
class Hand:
    """A claim, and what was flushed of it; `lost` when another has the slice, or will."""

    worker: str
    claimed: Claimed
    flushed: list[int] = field(default_factory=list)
    lost: bool = False


class Driver:
    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.jobs: dict[int, Job] = {}
        self.writers: dict[int, Writer] = {}
        self.workers: list[str] = []
        self.hands: list[Hand] = []
        self.zombies: list[Hand] = []
        self.fences: dict[Key, int] = {}
        self.seen: Counter[str] = Counter()

    async def begin(self) -> None:
        for _ in range(2):
            options = JobOptions(slice_size=self.random.choice([1, 3, 5]))
            job = await self.world.empty_job(options)
            self.writers[job] = await self.world.ingester(job, options)
            self.jobs[job] = Job()
        self.workers = [await self.world.worker() for _ in range(3)]

    async def step(self) -> None:
        weights = {
            self.ingest: 5,
            self.claim: 12,
            self.settle: 12,
            self.flush: 6,
            self.late_settle: 3,
            self.release: 2,
            self.crash: 2,
            self.promote: 6,
            self.replay: 2,
            self.sweep: 3,
            self.seal: 1,
            self.pause: 1,
            self.cancel: 1 if self.random.random() < 0.2 else 0,
        }
        (act,) = self.random.choices(list(weights), list(weights.values()))
        self.seen[act.__name__] += 1
        await act()

    # -- what may happen -------------------------------------------------------------------------------------------

    async def ingest(self) -> None:
        job, state = self.random.choice(list(self.jobs.items()))
        if state.sealed:
            return
        writer = self.writers[job]
        count = self.random.randint(1, 8)
        at = writer.checkpoint.line
        lines = entries([f"{job}/{at + number}" for number in range(1, count + 1)])
        await writer.write(writer.prepare(portions(lines, writer, self.random.choice([3, 8]))), position=0)
        state.items |= {at + number: Item() for number in range(1, count + 1)}

    async def claim(self) -> None:
        worker = self.random.choice(self.workers)
        for claimed in await self.world.claim(worker, self.random.randint(1, 4)):
            job = self.jobs[claimed.job_id]
            key = (claimed.job_id, claimed.first_seq)
            assert not job.stopping
            assert claimed.fence > self.fences.get(key, 0)
            self.fences[key] = claimed.fence
            inside = {
                seq: item
                for seq, item in job.items.items()
                if claimed.first_seq <= seq <= claimed.last_seq and item.status in {"open", "due"}
            }
            assert claimed.seqs == sorted(inside)
            assert claimed.retries == {
                seq: (item.attempts, item.allowed) for seq, item in inside.items() if item.status == "due"
            }
            for hand in self.hands:
                assert hand.lost or not self._overlap(hand.claimed, claimed)
            self.hands.append(Hand(worker, claimed))

    async def settle(self) -> None:
        if self.hands:
            size = self.random.randint(1, len(self.hands))
            mine = self.random.sample(self.hands, size)
            for worker in {hand.worker for hand in mine}:
                await self._send([hand for hand in mine if hand.worker == worker], closing=True)

    async def flush(self) -> None:
        if self.hands:
            await self._send([self.random.choice(self.hands)], closing=False)

    async def late_settle(self) -> None:
        if self.zombies:
            await self._send([self.random.choice(self.zombies)], closing=self.random.random() < 0.7)

    async def release(self) -> None:
        hands = [hand for hand in self.hands if not hand.lost]
        if hands:
            hand = self.random.choice(hands)
            done = await self.world.release(hand.worker, hand.claimed, started=self.random.random() < 0.5)
            assert done
            self._lose(hand)

    async def crash(self) -> None:
        worker = self.random.choice(self.workers)
        self.workers.remove(worker)
        await self.world.die(worker)
        held = [hand for hand in self.hands if hand.worker == worker]
        assert await self.world.duties.recover() == len(held)
        for hand in held:
            self._lose(hand)
        if self.random.random() < 0.5:
            await self.world.store.workers.see(worker=worker)
        self.workers.append(await self.world.worker())

    async def promote(self) -> None:
        await self.world.duties.promote()

    async def replay(self) -> None:
        job, state = self.random.choice(list(self.jobs.items()))
        if state.stopping and not state.ended:
            with pytest.raises(ConflictError):
                await self.world.operations.replay(job, actor="chance")
            return
        dead = [item for item in state.items.values() if item.status == "dead"]
        had_ended = state.ended
        assert (await self.world.operations.replay(job, actor="chance")).replayed == len(dead)
        for item in dead:
            item.status, item.allowed = "due", item.attempts + ATTEMPTS
        if dead:
            state.rounds += had_ended
            state.stopping = False

    async def cancel(self) -> None:
        job, state = self.random.choice(list(self.jobs.items()))
        if state.ended or state.stopping:
            with pytest.raises(ConflictError):
                await self.world.operations.cancel(job, actor="chance")
            return
        free = [item for _, item in self._free(job)]
        assert await self.world.operations.cancel(job, actor="chance") == len(free)
        state.stopping = state.sealed = True

    async def sweep(self) -> None:
        for job, state in self.jobs.items():
            if state.stopping and not state.ended:
                for _, item in self._free(job):
                    item.status = "cancelled"
        await self.world.duties.sweep()

    async def seal(self) -> None:
        job, state = self.random.choice(list(self.jobs.items()))
        if state.items and not state.sealed and self.random.random() < 0.3:
            assert await self.world.seal(job, self.writers[job])
            state.sealed = True

    async def pause(self) -> None:
        job, state = self.random.choice(list(self.jobs.items()))
        if not state.ended:
            await self.world.operations.pause(job, actor="chance")
            assert job not in {one.job_id for one in await self.world.claim(self.workers[0], 4, types=[])}
            await self.world.operations.resume(job, actor="chance")

    # -- the account -----------------------------------------------------------------------------------------------

    def _free(self, job: int) -> list[tuple[int, Item]]:
        held = [hand.claimed for hand in self.hands if hand.claimed.job_id == job]
        return [
            (seq, item)
            for seq, item in self.jobs[job].items.items()
            if item.is_open and not any(one.first_seq <= seq <= one.last_seq for one in held)
        ]

    @staticmethod
    def _overlap(one: Claimed, other: Claimed) -> bool:
        return (
            one.job_id == other.job_id and one.first_seq <= other.last_seq and other.first_seq <= one.last_seq
        )

    def _lose(self, hand: Hand) -> None:
        hand.lost = True
        self.hands.remove(hand)
        self.zombies.append(hand)
        key = (hand.claimed.job_id, hand.claimed.first_seq)
        self.fences[key] = hand.claimed.fence + 1

    async def _send(self, hands: list[Hand], *, closing: bool) -> None:
        """Settle or flush claims of one worker; what the database accepts must be what is still held."""
        answers: dict[Key, Answer] = {}
        slices, rows, said = [], [], []
        for hand in hands:
            todo = [seq for seq in hand.claimed.seqs if seq not in hand.flushed]
            if not closing:
                todo = self.random.sample(todo, self.random.randint(0, len(todo)))
            mine = {seq: self.random.choice(ANSWERS) for seq in todo}
            answers |= {(hand.claimed.job_id, seq): answer for seq, answer in mine.items()}
            one, items = settlement(hand.claimed, mine, closing=closing, flushed=hand.flushed)
            slices.append(one)
            rows += items
            said.append((hand, todo))
        settled = await self._settle(hands[0].worker, slices, rows)
        expected = {hand.claimed[:2] for hand in hands if not hand.lost}
        assert settled == expected
        if self.random.random() < 0.2:  # a lost reply: the same again, which must count nothing
            again = await self._settle(hands[0].worker, slices, rows)
            assert again <= expected
            assert not closing or again == set()
        for hand, todo in said:
            if not hand.lost:
                self._accept(hand, {seq: answers[hand.claimed.job_id, seq] for seq in todo}, closing=closing)

    async def _settle(
        self, worker: str, slices: list[SliceOutcome], rows: list[ItemOutcome]
    ) -> set[tuple[int, int]]:
        settled = await self.world.store.slices.settle(worker=worker, slices=slices, items=rows)
        return {(one.job_id, one.first_seq) for one in settled}

    def _accept(self, hand: Hand, answers: dict[int, Answer], *, closing: bool) -> None:
        job = self.jobs[hand.claimed.job_id]
        for seq, answer in answers.items():
            self._take(job, seq, answer)
        hand.flushed += answers
        left = any(
            item.is_open
            for seq, item in job.items.items()
            if hand.claimed.first_seq <= seq <= hand.claimed.last_seq
        )
        if closing or not left:
            self.hands.remove(hand)
            hand.lost = True
            self.zombies.append(hand)

    @staticmethod
    def _take(job: Job, seq: int, answer: Answer) -> None:
        item = job.items[seq]
        item.attempts += 1
        if answer.status == "failed":
            if item.attempts >= item.allowed:
                item.status = "dead"
            elif job.stopping:
                item.status = "cancelled"
            else:
                item.status = "later" if answer is LATER else "due"
        else:
            item.status = answer.status

    async def compare(self) -> None:
        await assert_consistent(self.world)
        for job, state in self.jobs.items():
            held = [hand.claimed for hand in self.hands if hand.claimed.job_id == job]
            leased = {
                seq
                for one in held
                for seq in state.items
                if one.first_seq <= seq <= one.last_seq and state.items[seq].status == "open"
            }
            expected = {
                seq: item.word if item.word != "open" else "processing" if seq in leased else "pending"
                for seq, item in state.items.items()
            }
            assert await self.world.statuses(job) == expected
            row = await self.world.get(job)
            assert (row["ended_at"] is not None, row["round"]) == (state.ended, state.rounds)

    async def end(self) -> None:
        """Let everything come to its end, and compare once more."""
        for job, state in self.jobs.items():
            if not state.sealed:
                assert await self.world.seal(job, self.writers[job])
                state.sealed = True
        while self.hands:
            await self._send([self.hands[0]], closing=True)
        await self._let_time_pass()
        await self.sweep()
        while not all(state.ended for state in self.jobs.values()):
            await self.claim()
            while self.hands:
                await self._send([self.hands[0]], closing=True)
            await self._let_time_pass()
            await self.sweep()
        await self.compare()
        for job, state in self.jobs.items():
            rows = await self.world.fetch("SELECT seq, attempts FROM outcomes WHERE job_id = :job", job=job)
            for row in rows:
                assert row["attempts"] == state.items[row["seq"]].attempts
            assert [number for number, _ in await self.world.events(job)] == list(range(1, state.rounds + 1))

    async def _let_time_pass(self) -> None:
        """Make due what waits, as if an hour had gone by."""
        for text in (
            "UPDATE outcomes SET next_attempt_at = finished_at WHERE status = 'retrying' RETURNING seq",
            "UPDATE slices SET available_at = clock_timestamp() WHERE state = 2 RETURNING first_seq",
        ):
            await self.world.fetch(text)
        for state in self.jobs.values():
            for item in state.items.values():
                if item.status == "later":
                    item.status = "due"
        await self.world.duties.promote()


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_the_order_every_item_has_its_one_outcome(world: World, seed: int) -> None:
    driver = Driver(world, seed)
    await driver.begin()
    for number in range(STEPS):
        await driver.step()
        if number % 20 == 19:
            await driver.compare()
    await driver.end()
    assert {"claim", "settle", "crash", "late_settle", "flush"} <= driver.seen.keys()


# -- at once -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
async def test_workers_that_run_and_die_side_by_side_lose_and_double_nothing(
    shared: World, seed: int
) -> None:
    """Real concurrency: four workers, recoveries, replays, a standing promote; every accepted answer is counted."""
    jobs = [await shared.job(90, slice_size=4, chunk=30) for _ in range(2)]
    accepted: Counter[tuple[int, int]] = Counter()
    over = asyncio.Event()
    stores = [await shared.another() for _ in range(5)]

    async def ends() -> bool:
        rows = await shared.fetch("SELECT id FROM jobs WHERE ended_at IS NULL")
        return not rows

    async def work(index: int) -> None:
        chance = random.Random(seed * 100 + index)
        store, worker = stores[index], await shared.worker()
        while not over.is_set():
            taken = await shared.claim(worker, chance.randint(1, 4), store=store)
            if not taken:
                await asyncio.sleep(0)
            for claimed in taken:
                fate = chance.random()
                if fate < 0.1:
                    await shared.die(worker)
                    worker = await shared.worker()
                    break
                answers = {seq: chance.choice((GOOD, GOOD, BAD, SKIP, FATAL)) for seq in claimed.seqs}
                if fate < 0.2:
                    await shared.release(worker, claimed, started=True)
                    continue
                settled = await shared.settle(worker, claimed, answers, store=store)
                if settled:
                    accepted.update((claimed.job_id, seq) for seq in claimed.seqs)

    async def duties() -> None:
        chance = random.Random(seed)
        replays = 6
        while True:
            await shared.duties.recover()
            await shared.duties.promote()
            if replays and chance.random() < 0.1:
                replays -= 1
                await shared.operations.replay(chance.choice(jobs), actor="chance")
            if not replays and await ends():
                over.set()
                return

    async with asyncio.timeout(60):
        await asyncio.gather(duties(), *(work(index) for index in range(4)))
    for job in jobs:
        counts = await shared.counts(job)
        assert sum(counts.values()) == 90
        rows = await shared.fetch("SELECT seq, attempts FROM outcomes WHERE job_id = :job", job=job)
        tried = {row["seq"]: row["attempts"] for row in rows}
        assert {seq: tried.get(seq, 1) for seq in range(1, 91)} == {
            seq: accepted[job, seq] for seq in range(1, 91)
        }


async def test_a_capped_job_is_never_over_its_cap_with_four_claimers_at_once(shared: World) -> None:
    job = await shared.job(60, slice_size=1, options=JobOptions(max_concurrency=3))
    workers = [await shared.worker() for _ in range(4)]
    stores = [await shared.another() for _ in workers]
    types = list(shared.types.values())
    most = Counter[int]()

    async def drain(index: int) -> None:
        while not await _over(shared, job):
            taken = await stores[index].transact(
                lambda tx: claim_limited(tx, worker=workers[index], types=types, limit=10)
            )
            row = await shared.one("SELECT count(*) AS n FROM slices WHERE state = 1")
            most[row["n"]] += 1
            if taken:
                await shared.settle(workers[index], taken, store=stores[index])

    async with asyncio.timeout(30):
        await asyncio.gather(*(drain(index) for index in range(4)))
    assert max(most) == 3
    assert await shared.counts(job) == {"succeeded": 60}


async def _over(world: World, job: int) -> bool:
    return (await world.get(job))["ended_at"] is not None
