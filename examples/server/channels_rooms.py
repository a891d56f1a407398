"""Rooms in Channels, with authed_rooms.py beside it. Run: CHAT_SECRET=… daphne channels_rooms:application"""

import os
from typing import Any

import django
import jwt
from django.conf import settings

SECRET = os.environ["CHAT_SECRET"]
REDIS = os.environ.get("REDIS_URL")  # needed for more than one process
settings.configure(SECRET_KEY=SECRET, ALLOWED_HOSTS=["*"])
django.setup()

from authed_rooms import AuthedConsumer, Identity, MemoryStore, RedisStore, Refused  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.urls import path  # noqa: E402


# region consumer
class ChatConsumer(AuthedConsumer):
    store = RedisStore(REDIS) if REDIS else MemoryStore()

    async def authenticate(self, token: str) -> Identity | None:
        try:
            claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"require": ["exp", "sub"]})
        except jwt.PyJWTError:
            return None
        return Identity(claims["sub"], expires_at=claims["exp"])

    async def authorize(self, user: str, room: str, params: dict[str, Any]) -> bool:
        return not room.startswith("inbox:") or room == f"inbox:{user}"

    async def on_message(self, user: str, room: str, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(data.get("text"), str):
            raise Refused("forbidden", "a message has a text")
        return {"text": data["text"][:2000]}


sockets = URLRouter([path("ws/rooms", ChatConsumer.as_asgi())])
# endregion
application = ProtocolTypeRouter({"http": get_asgi_application(), "websocket": sockets})
