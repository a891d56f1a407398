"""The same in Channels."""

import dataclasses
import json
import os
from typing import Any

import django
from django.conf import settings

settings.configure(SECRET_KEY="a secret for this test only", ALLOWED_HOSTS=["*"])
django.setup()

import authed_rooms  # noqa: E402
from authed_rooms import AuthedConsumer, MemoryStore, RedisStore, Settings  # noqa: E402
from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from hooks import call, user_of  # noqa: E402

KNOWN = {field.name for field in dataclasses.fields(Settings)}
GIVEN = json.loads(os.environ.get("ROOMS_SETTINGS", "{}"))
REDIS = os.environ.get("REDIS_URL")
identify = user_of(authed_rooms)


class Consumer(AuthedConsumer):
    settings = Settings(**{name: value for name, value in GIVEN.items() if name in KNOWN})
    store = RedisStore(REDIS) if REDIS else MemoryStore()

    async def authenticate(self, token: str) -> Any:
        return await identify(token)

    async def authorize(self, user: str, room: str, params: dict[str, Any]) -> bool:
        return True

    async def on_call(self, user: str, method: str, data: Any) -> Any:
        return call(user, method, data)


class Bare(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        await self.accept("authed-rooms.v1")


sockets = URLRouter([path("ws/rooms", Consumer.as_asgi()), path("bare", Bare.as_asgi())])
application = ProtocolTypeRouter({"http": get_asgi_application(), "websocket": sockets})
