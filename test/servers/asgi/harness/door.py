"""Stands between the server and the chat application, and does to sockets what a test asks for.

It counts and logs the sockets, closes them on command, and refuses those that the application would have
accepted. The application under it needs to know none of this; it only says who has come, through
``scope["visit"]``.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .state import SocketRefusal, State

if TYPE_CHECKING:
    from .rooms import Connection

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

ROOMS_PATH = re.compile(r"^/ws/rooms/?$")
ROOM_PATH = re.compile(r"^/ws/(?:v2/)?(?:chat|session|origin|first)/([^/]+)/?$")


@dataclass(eq=False)
class Visit:
    """One socket, from its upgrade request to its end."""

    room: str | None
    own_code: int
    state: State
    real_send: Send
    """Channels' own middleware calls it so too, and the rooms module finds daphne behind that name."""
    connection: Connection | None = None
    """Told by ``/ws/rooms``: who has come and where it is."""
    user: str | None = None
    """Told by the application when it has authenticated the socket."""
    expires_at: float | None = None
    """Told by applications that can end a socket at its token's expiry (seconds since the epoch)."""
    waits: bool = False
    """Told by applications that wait for the token in the first frame: it is not for the log."""
    over: bool = False
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def close(self, code: int, reason: str = "") -> None:
        """After this the application talks to the void, as it would to a peer that has gone."""
        if self.over:
            return
        self.leave()
        # The client may have gone a moment ago; every server has its own exception for that.
        with suppress(Exception):
            await self.real_send({"type": "websocket.close", "code": code, "reason": reason})

    def later(self, seconds: float, code: int, reason: str, *, only_at_expiry: bool = False) -> None:
        async def run() -> None:
            await asyncio.sleep(max(0.0, seconds))
            if not only_at_expiry or self.state.settings.closeAtExpiry:
                await self.close(code, reason)

        task = asyncio.get_running_loop().create_task(run())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def leave(self) -> None:
        self.over = True
        self.state.open.discard(self)

    async def send(self, message: Message) -> None:
        """What the application sends passes through here."""
        if self.over:
            return
        match message["type"]:
            case "websocket.accept":
                await self._accept(message)
            case "websocket.close":
                self.leave()
                try:
                    await self.real_send(message)
                except Exception:
                    # daphne knows not all codes; the application may try another.
                    self.over = False
                    self.state.open.add(self)
                    raise
            case _:
                await self.real_send(message)

    async def _accept(self, message: Message) -> None:
        refusal = self.state.settings.refuseSockets
        if refusal and refusal.when == "before-accept":
            await self.close(refusal.code or self.own_code)
            return
        await self.real_send(message)
        self.state.open.add(self)
        if refusal:
            await self._refuse_accepted(refusal)
        if self.expires_at is not None:
            self.later(self.expires_at - time.time(), 4003, "token expired", only_at_expiry=True)

    async def _refuse_accepted(self, refusal: SocketRefusal) -> None:
        code = refusal.code or self.own_code
        if refusal.afterMs:
            self.later(refusal.afterMs / 1000, code, "refused")
        else:
            # Awaited, so that the welcome, which the application sends next, is dropped.
            await self.close(code, "refused")

    def heard(self, message: Message) -> None:
        """What the client sent passes through here."""
        if message["type"] == "websocket.disconnect":
            self.leave()
        elif message["type"] == "websocket.receive" and self.waits:
            self.waits = False
        elif message["type"] == "websocket.receive" and message.get("text") is not None:
            if self.room:
                self._log(self.room, self.user, message["text"])
            elif self.connection is not None and self.connection.user is not None:
                kind, room = _about(message["text"])
                # A frame that holds a token is nobody's to keep.
                if kind != "auth":
                    self._log(room, self.connection.user, message["text"])

    def _log(self, room: str, user: str | None, text: str) -> None:
        self.state.received.append({"room": room, "user": user, "data": text})

    def is_in(self, room: str) -> bool:
        return self.room == room or (self.connection is not None and room in self.connection.rooms)


def _about(text: str) -> tuple[str, str]:
    """Type and room of a frame of the rooms protocol, as far as it has them."""
    try:
        frame = json.loads(text)
        return str(frame.get("type", "")), str(frame.get("room", ""))
    except (ValueError, AttributeError, RecursionError):
        return "", ""


class SocketDoor:
    """ASGI middleware; ``own_code`` is the close code with which the application refuses by itself."""

    def __init__(self, app: App, state: State, own_code: int) -> None:
        self.app = app
        self.state = state
        self.own_code = own_code

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        room = ROOM_PATH.match(scope["path"])
        own_code = 4003 if ROOMS_PATH.match(scope["path"]) else self.own_code
        visit = Visit(room.group(1) if room else None, own_code, self.state, send)
        # Frameworks copy the scope on the way down; the visit in it stays the same object.
        scope["visit"] = visit

        async def listen() -> Message:
            message = await receive()
            visit.heard(message)
            return message

        try:
            await self.app(scope, listen, visit.send)
        finally:
            visit.leave()
            for task in list(visit.tasks):
                task.cancel()
