"""Rooms in FastAPI, with authed_rooms.py beside this file. Run: CHAT_SECRET=… uvicorn fastapi_rooms:app"""

import os
from typing import Annotated, Any

import jwt
from authed_rooms import AuthedRooms, Identity, RedisStore, Refused, RoomsConnection
from fastapi import Depends, FastAPI

SECRET = os.environ["CHAT_SECRET"]
REDIS = os.environ.get("REDIS_URL")  # needed for more than one process


def user_of(token: str) -> Identity | None:
    try:
        claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"require": ["exp", "sub"]})
    except jwt.PyJWTError:
        return None
    return Identity(claims["sub"], expires_at=claims["exp"])


def may_join(user: str, room: str, params: dict[str, Any]) -> bool:
    return not room.startswith("inbox:") or room == f"inbox:{user}"


async def checked(user: str, room: str, data: Any) -> Any:
    if not isinstance(data, dict) or not isinstance(data.get("text"), str):
        raise Refused("forbidden", "a message has a text")
    return {"text": data["text"][:2000]}


app = FastAPI()
store = RedisStore(REDIS) if REDIS else None
rooms = AuthedRooms(user_of, authorize=may_join, on_message=checked, store=store)


@app.websocket("/ws/rooms")
async def endpoint(connection: Annotated[RoomsConnection, Depends(rooms)]) -> None:
    await connection.serve()
