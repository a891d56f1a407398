"""The chat as the article writes it: what most servers in the field look like.

Its faults are kept, since a client has to live with them: it refuses before it accepts, so that the code
1008 never leaves the server; a room has no effect; the welcome is JSON and the echo is not; a binary
frame ends the handler; the path has no trailing slash, and nothing is checked again once a socket is open.
"""

from __future__ import annotations

import logging

import jwt
from fastapi import APIRouter, WebSocket, WebSocketDisconnect, status
from harness.door import Visit
from harness.state import State

from .accounts import Accounts
from .tokens import AccessTokens

router = APIRouter()
log = logging.getLogger(__name__)


async def _refuse(websocket: WebSocket, why: str) -> WebSocketDisconnect:
    await websocket.close(code=status.WS_1008_POLICY_VIOLATION)
    return WebSocketDisconnect(status.WS_1008_POLICY_VIOLATION, why)


async def authenticate(websocket: WebSocket, token: str | None, room_id: str) -> str:
    """The user's name; otherwise the socket is closed and ``WebSocketDisconnect`` raised."""
    accounts: Accounts = websocket.app.state.accounts
    tokens: AccessTokens = websocket.app.state.tokens
    door: State = websocket.app.state.door
    if not token:
        raise await _refuse(websocket, "no token")
    try:
        user = tokens.decode(token).get("sub")
    except jwt.PyJWTError:
        raise await _refuse(websocket, "invalid token") from None
    if not isinstance(user, str) or not accounts.exists(user):
        raise await _refuse(websocket, "no such user")
    if not door.may_enter(user, room_id):
        raise await _refuse(websocket, "not allowed in this room")
    return user


@router.websocket("/ws/chat/{room_id}")
async def chat(websocket: WebSocket, room_id: str, token: str | None = None) -> None:
    visit: Visit = websocket.scope["visit"]
    try:
        visit.user = await authenticate(websocket, token, room_id)
        await websocket.accept()
        await websocket.send_json({"message": f"Welcome, {visit.user}! You are in room {room_id}."})
        while True:
            text = await websocket.receive_text()
            await websocket.send_text(f"Message from {visit.user}: {text}")
    except WebSocketDisconnect:
        pass
    except Exception as error:
        # The article prints and returns, whatever it was; a client sees how the server ends such a socket.
        log.info("chat ended by %s", type(error).__name__)
