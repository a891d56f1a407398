"""The chat whose refusals arrive: it accepts first, and only then closes with a code and a reason."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from contextlib import suppress

import jwt
from fastapi import APIRouter, WebSocket, WebSocketDisconnect, status
from harness.carriers import find_token, pick_subprotocol, token_in_frame
from harness.door import Visit
from harness.state import State

from .accounts import Accounts
from .tokens import AccessTokens

router = APIRouter()

REFUSED_HERE = 4003
"""The credential is fine, or was a moment ago; this room or this moment is not."""


class Refused(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Rooms:
    """Who is where, in this process."""

    def __init__(self) -> None:
        self._members: defaultdict[str, set[WebSocket]] = defaultdict(set)

    def join(self, room: str, websocket: WebSocket) -> None:
        self._members[room].add(websocket)

    def leave(self, room: str, websocket: WebSocket) -> None:
        self._members[room].discard(websocket)
        if not self._members[room]:
            del self._members[room]

    async def broadcast(self, room: str, content: dict[str, object]) -> None:
        for member in list(self._members[room]):
            # A member that is just leaving must not keep the message from the others.
            with suppress(Exception):
                await member.send_json(content)


def _admit(websocket: WebSocket, room: str, token: str | None) -> tuple[str, float | None]:
    """The user, and the time at which the token expires."""
    accounts: Accounts = websocket.app.state.accounts
    tokens: AccessTokens = websocket.app.state.tokens
    door: State = websocket.app.state.door
    invalid = status.WS_1008_POLICY_VIOLATION
    if token is None:
        raise Refused(invalid, "no token")
    try:
        claims = tokens.decode(token)
    except jwt.ExpiredSignatureError:
        raise Refused(invalid, "token expired") from None
    except jwt.PyJWTError:
        raise Refused(invalid, "invalid token") from None
    user = claims.get("sub")
    if not isinstance(user, str) or not accounts.exists(user):
        raise Refused(invalid, "no such user")
    if user in door.revoked:
        raise Refused(invalid, "access revoked")
    if not door.may_enter(user, room):
        raise Refused(REFUSED_HERE, "not allowed in this room")
    expires = claims.get("exp")
    return user, float(expires) if isinstance(expires, (int, float)) else None


@router.websocket("/ws/v2/chat/{room}")
async def chat(websocket: WebSocket, room: str) -> None:
    visit: Visit = websocket.scope["visit"]
    rooms: Rooms = websocket.app.state.rooms
    subprotocol = pick_subprotocol(websocket.scope)
    try:
        user, expires_at = _admit(websocket, room, find_token(websocket.scope))
    except Refused as refused:
        await websocket.accept(subprotocol)
        await websocket.close(refused.code, refused.reason)
        return
    visit.user, visit.expires_at = user, expires_at
    await websocket.accept(subprotocol)
    await _serve(websocket, rooms, room, user)


@router.websocket("/ws/v2/first/{room}")
async def first_message_chat(websocket: WebSocket, room: str) -> None:
    """The same chat for clients that bring the token in the first frame. It does not watch expiry."""
    visit: Visit = websocket.scope["visit"]
    door: State = websocket.app.state.door
    visit.waits = True
    await websocket.accept(pick_subprotocol(websocket.scope))
    try:
        async with asyncio.timeout(door.settings.firstMessageMs / 1000):
            frame = await websocket.receive()
    except TimeoutError:
        frame = {}
    if frame.get("type") == "websocket.disconnect":
        return
    try:
        visit.user, _ = _admit(websocket, room, token_in_frame(frame.get("text")))
    except Refused as refused:
        await websocket.close(refused.code, refused.reason)
        return
    await _serve(websocket, websocket.app.state.rooms, room, visit.user)


async def _serve(websocket: WebSocket, rooms: Rooms, room: str, user: str) -> None:
    rooms.join(room, websocket)
    try:
        await websocket.send_json({"message": f"Welcome, {user}!"})
        await _relay(websocket, rooms, room, user)
    except WebSocketDisconnect:
        pass
    finally:
        rooms.leave(room, websocket)


async def _relay(websocket: WebSocket, rooms: Rooms, room: str, user: str) -> None:
    while True:
        frame = await websocket.receive()
        if frame["type"] == "websocket.disconnect":
            return
        try:
            message = json.loads(frame.get("text") or "")["message"]
        except (ValueError, TypeError, KeyError):
            # One bad frame is no reason to lose a socket.
            await websocket.send_json({"error": "expected a JSON object with a message"})
            continue
        await rooms.broadcast(room, {"message": message, "username": user})
