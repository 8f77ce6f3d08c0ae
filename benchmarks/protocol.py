"""The protocol alone: the product's own claim, read, validate and settle, with its prefetch, and no handler called.

What no worker in this process could beat: it pays for every statement and every model, and for nothing between them.
"""

import asyncio
import random
from time import perf_counter_ns

from batchanator.app.job_types import policy_for
from batchanator.app.runtime import Runtime
from batchanator.dispatch.claimer import Claimer
from batchanator.dispatch.hand import Hand
from batchanator.dispatch.held import HeldSlice, JobTypePolicy
from batchanator.dispatch.settler import Settler
from batchanator.handlers.answers import SUCCEEDED
from batchanator.store.wakeups import wait_for


async def drain_protocol(runtime: Runtime) -> None:
    """Claim and settle until a job has ended."""
    assert runtime.lease is not None
    worker = runtime.lease.incarnation
    assert worker is not None
    store, settings = runtime.store, runtime.settings
    kinds = {kind["name"]: kind["id"] for kind in await store.job_types.list()}
    policies = {
        kinds[handler.job_type]: policy_for(handler, kinds[handler.job_type], settings)
        for handler in runtime.registry
    }
    hand = Hand(settings.max_concurrency_per_worker)
    settler = Settler(store, hand, runtime.wakeups, random.random)
    claimer = Claimer(store, list(policies))
    claimed: asyncio.Queue[HeldSlice] = asyncio.Queue()
    ended = runtime.wakeups.ended
    ended.clear()
    async with asyncio.TaskGroup() as group:
        loops = [
            group.create_task(settler.run(), name="settle"),
            group.create_task(_claim(claimer, hand, policies, worker, claimed), name="claim"),
            group.create_task(_validate(hand, claimed), name="validate"),
        ]
        await ended.wait()
        for loop in loops:
            loop.cancel()


async def _claim(
    claimer: Claimer,
    hand: Hand,
    policies: dict[int, JobTypePolicy],
    worker: str,
    claimed: asyncio.Queue[HeldSlice],
) -> None:
    while True:
        room = hand.room()
        taken = await claimer.claim(worker, room) if room > 0 else []
        if not taken:
            await wait_for(hand.settled, 0.05)
        for one in taken:
            held = HeldSlice(one, policies[one.job_type_id], worker, serial=False)
            hand.add(held)
            claimed.put_nowait(held)


async def _validate(hand: Hand, claimed: asyncio.Queue[HeldSlice]) -> None:
    """Validate what was claimed while the next claim is on its way, and answer for all items of a slice at once."""
    while True:
        held = await claimed.get()
        if not held.read_payloads():
            raise AssertionError("the bench's payloads fit their model")
        length = len(held.outcomes)
        now = perf_counter_ns()
        held.started_ns, held.ended_ns = [now] * length, [now] * length
        held.outcomes = [SUCCEEDED] * length
        held.left = 0
        hand.finish(held)
        await asyncio.sleep(0)
