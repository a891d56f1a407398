"""``/ws/rooms``: the rooms protocol by ``authed_rooms.py``, as a user of that file writes it."""

from __future__ import annotations

from typing import Any

from authed_rooms import AuthedConsumer, Identity, MemoryStore, RedisStore, Refused, Settings
from harness.rooms import obey, redis_url
from harness.state import FORBIDDEN_ROOM

from . import chat_v2
from .state import state

url = redis_url()


class RoomsConsumer(AuthedConsumer):
    settings = Settings(token_cookie="access_token")
    store = RedisStore(url) if url else MemoryStore()

    async def connect(self) -> None:
        self.scope["visit"].connection = self
        await super().connect()

    async def authenticate(self, token: str) -> Identity | None:
        try:
            user, expires_at = await chat_v2.user_of_token(token)
        except chat_v2.Refused:
            return None
        return None if user in state.revoked else Identity(user, expires_at)

    # region session
    async def authenticate_scope(self) -> Identity | None:
        user = self.scope["user"]
        if not user.is_authenticated or user.username in state.revoked:
            return None
        return Identity(user.username)

    # endregion

    async def authorize(self, user: str, room: str, params: dict[str, Any]) -> bool:
        return room != FORBIDDEN_ROOM

    async def on_call(self, user: str, method: str, data: Any) -> Any:
        match method:
            case "echo":
                return data
            case "order.place":
                return {"placed": True, "by": user, "order": data}
        raise Refused("unknown-method", "this server has no such method")


obey(state, RoomsConsumer.settings)
