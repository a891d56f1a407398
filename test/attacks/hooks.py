"""What both applications decide: a token is the user's name, and some take their time to be looked up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any


def user_of(rooms: Any) -> Callable[[str], Awaitable[Any]]:
    async def identify(token: str) -> Any:
        if token.startswith("slow"):
            await asyncio.sleep(60)
        return None if token.endswith("bad") else rooms.Identity(token)

    return identify


def call(user: str, method: str, data: Any) -> Any:
    return data
