"""The consumer as the article writes it: what most servers in the field look like.

Its faults are kept, since a client has to live with them: it refuses before it accepts, so that the code
4003 never leaves the server; a frame that is not the JSON it expects kills the connection; and nothing is
checked again once a socket is open.
"""

from __future__ import annotations

import json
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from .state import state


class ChatConsumer(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        user = self.scope["user"]
        room: str = self.scope["url_route"]["kwargs"]["room_name"]
        self.group: str | None = None
        if not user.is_authenticated or not state.may_enter(user.username, room):
            await self.close(code=4003)
            return
        self.scope["visit"].user = user.username
        self.group = f"chat_{room}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        await self.send(text_data=json.dumps({"message": f"Welcome, {user.username}!"}))

    async def disconnect(self, code: int) -> None:
        if self.group is not None:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data: str) -> None:  # type: ignore[override]
        """Without ``bytes_data``, as in the article: a binary frame raises ``TypeError``."""
        message = json.loads(text_data)["message"]
        username = self.scope["user"].username
        event = {"type": "chat.message", "message": message, "username": username}
        await self.channel_layer.group_send(self.group, event)

    async def chat_message(self, event: dict[str, Any]) -> None:
        content = {"message": event["message"], "username": event["username"]}
        await self.send(text_data=json.dumps(content))
