"""The consumers whose refusals arrive: they accept first, and only then close with a code and a reason.

Always with 4003: daphne refuses to send 1008, and makes it a 1011 that comes up to a second later.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from harness.carriers import find_token, pick_subprotocol, token_in_frame
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken

from .state import state

REFUSED = 4003


class Refused(Exception):
    """Its text becomes the close reason."""


class TokenChat(AsyncWebsocketConsumer):
    group: str | None = None
    username: str

    async def authenticate(self) -> tuple[str, float | None]:
        """The user, and the time at which the credential expires."""
        token = find_token(self.scope)
        if token is None:
            raise Refused("no token")
        return await user_of_token(token)

    async def connect(self) -> None:
        room: str = self.scope["url_route"]["kwargs"]["room_name"]
        subprotocol = pick_subprotocol(self.scope)
        try:
            username, expires_at = await self.authenticate()
            if username in state.revoked:
                raise Refused("access revoked")
            if not state.may_enter(username, room):
                raise Refused("not allowed in this room")
        except Refused as refused:
            await self.accept(subprotocol)
            await self.close(REFUSED, str(refused))
            return
        self.scope["visit"].expires_at = expires_at
        await self.join(room, username)
        await self.accept(subprotocol)
        await self.welcome()

    async def join(self, room: str, username: str) -> None:
        self.username = self.scope["visit"].user = username
        # Hashed, because a group's name may hold only some ASCII characters and a room's name any.
        self.group = "v2_" + hashlib.sha256(room.encode()).hexdigest()
        await self.channel_layer.group_add(self.group, self.channel_name)

    async def welcome(self) -> None:
        await self.send(text_data=json.dumps({"message": f"Welcome, {self.username}!"}))

    async def disconnect(self, code: int) -> None:
        if self.group is not None:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.group is None:
            return  # already refused; the client's frame crossed the close
        try:
            message = json.loads(text_data or "")["message"]
        except (ValueError, TypeError, KeyError):
            # One bad frame is no reason to lose a socket.
            await self.send(text_data=json.dumps({"error": "expected a JSON object with a message"}))
            return
        event = {"type": "chat.message", "message": message, "username": self.username}
        await self.channel_layer.group_send(self.group, event)

    async def chat_message(self, event: dict[str, Any]) -> None:
        content = {"message": event["message"], "username": event["username"]}
        await self.send(text_data=json.dumps(content))


class FirstMessageChat(TokenChat):
    """The same chat for clients that bring the token in the first frame. It does not watch expiry."""

    late: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        self.scope["visit"].waits = True
        await self.accept(pick_subprotocol(self.scope))
        self.late = asyncio.get_running_loop().create_task(self.give_up())

    async def give_up(self) -> None:
        await asyncio.sleep(state.settings.firstMessageMs / 1000)
        self.late = None
        await self.close(REFUSED, "no token")

    async def disconnect(self, code: int) -> None:
        if self.late is not None:
            self.late.cancel()
        await super().disconnect(code)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.late is None:
            await super().receive(text_data, bytes_data)
            return
        self.late.cancel()
        self.late = None
        room: str = self.scope["url_route"]["kwargs"]["room_name"]
        try:
            token = token_in_frame(text_data)
            if token is None:
                raise Refused("no token")
            username, _ = await user_of_token(token)
            if not state.may_enter(username, room):
                raise Refused("not allowed in this room")
        except Refused as refused:
            await self.close(REFUSED, str(refused))
            return
        await self.join(room, username)
        await self.welcome()


class SessionChat(TokenChat):
    async def authenticate(self) -> tuple[str, float | None]:
        user = self.scope["user"]
        if not user.is_authenticated:
            raise Refused("not signed in")
        return user.username, None


@database_sync_to_async
def user_of_token(text: str) -> tuple[str, float | None]:
    try:
        token = AccessToken(text)  # type: ignore[arg-type]  # simplejwt's own annotation is wrong
        user = JWTAuthentication().get_user(token)
    except ExpiredTokenError:
        raise Refused("token expired") from None
    except TokenError:
        raise Refused("invalid token") from None
    except AuthenticationFailed:
        raise Refused("no such user") from None
    return user.get_username(), float(token["exp"])
