"""The handler of the image's test: as slow as each item says."""

import asyncio

from pydantic import BaseModel

from batchanator import handler


class Wait(BaseModel):
    seconds: float = 0


@handler("slow")
async def wait(payload: Wait) -> None:
    await asyncio.sleep(payload.seconds)
