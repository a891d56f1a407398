"""A FastAPI application with the rooms, as its user writes it. Settings: as JSON in the environment."""

import dataclasses
import json
import os
from typing import Annotated, Any

import authed_rooms
from authed_rooms import AuthedRooms, MemoryStore, RedisStore, RoomsConnection, Settings
from fastapi import Depends, FastAPI, WebSocket
from hooks import call, user_of

KNOWN = {field.name for field in dataclasses.fields(Settings)}
GIVEN = json.loads(os.environ.get("ROOMS_SETTINGS", "{}"))
REDIS = os.environ.get("REDIS_URL")

app = FastAPI()
rooms = AuthedRooms(
    user_of(authed_rooms),
    authorize=lambda user, room, params: True,
    on_call=call,
    store=RedisStore(REDIS) if REDIS else MemoryStore(),
    settings=Settings(**{name: value for name, value in GIVEN.items() if name in KNOWN}),
)


@app.websocket("/ws/rooms")
async def endpoint(connection: Annotated[RoomsConnection, Depends(rooms)]) -> None:
    await connection.serve()


@app.websocket("/bare")
async def bare(websocket: WebSocket) -> Any:
    await websocket.accept("authed-rooms.v1")
    await websocket.receive()
