"""An application whose hooks refuse and fail, for hooks.test.ts."""

import asyncio
from typing import Annotated, Any

from authed_rooms import AuthedRooms, Banned, Identity, Refused, RoomsConnection, Settings
from fastapi import Depends, FastAPI


async def whose(token: str) -> Identity | None:
    if token == "banned":
        raise Banned
    if token.startswith("broken"):
        raise ValueError(token)
    return None if token == "bad" else Identity(token)


def who_has_come(scope: Any) -> Identity | None:
    cookies = [value for name, value in scope["headers"] if name == b"cookie"]
    return Identity("carol") if b"session=carol" in cookies else None


async def may_join(user: str, room: str, params: dict[str, Any]) -> bool:
    if room == "broken":
        raise KeyError(room)
    if room == "later":
        raise Refused("rate-limited", "come again", 50)
    return room != "locked" or params.get("key") == "fits"


async def checked(user: str, room: str, data: Any) -> Any:
    if data == "broken":
        raise KeyError(data)
    if data == "later":
        raise Refused("rate-limited", "come again", 1)
    if data == "slow":
        await asyncio.sleep(0.02)
    return data


def displayed(user: str, room: str, data: Any) -> Any:
    if "secret" in data:
        raise Refused("forbidden", "not that")
    return data | {"checked": True}


async def called(user: str, method: str, data: Any) -> Any:
    match method:
        case "slow":
            await asyncio.sleep(0.3)
            return user
        case "broken":
            raise KeyError(method)
        case "unspeakable":
            return object()
    raise Refused("unknown-method", "no such method")


app = FastAPI()
rooms = AuthedRooms(
    whose,
    authenticate_scope=who_has_come,
    authorize=may_join,
    on_message=checked,
    on_presence=displayed,
    on_call=called,
    settings=Settings(auth_ms=300, sends_per_second=20),
)


@app.websocket("/ws/rooms")
async def endpoint(connection: Annotated[RoomsConnection, Depends(rooms)]) -> None:
    await connection.serve()
