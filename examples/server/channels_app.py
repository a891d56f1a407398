"""A Channels chat whose refusals arrive, in one file. Run: CHAT_SECRET=… uvicorn channels_app:application"""

import os

import django
import jwt
from django.conf import settings

SECRET = os.environ["CHAT_SECRET"]
LAYER = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
settings.configure(SECRET_KEY=SECRET, ALLOWED_HOSTS=["*"], CHANNEL_LAYERS=LAYER)
django.setup()

from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.urls import path  # noqa: E402


def user_of(token: str) -> str | None:
    try:
        claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"require": ["exp", "sub"]})
    except jwt.PyJWTError:
        return None
    return claims["sub"]


# region refuse
class Chat(AsyncJsonWebsocketConsumer):
    group: str | None = None

    async def connect(self) -> None:
        offered = self.scope["subprotocols"]  # ["token", "<jwt>"]
        token = offered[1] if len(offered) == 2 and offered[0] == "token" else ""
        # Echo the word, never the token. Accept first: a close before that reaches no client.
        await self.accept("token" if token else None)
        self.user = user_of(token)
        if self.user is None:
            await self.close(code=4003)
            return
        # endregion
        self.group = f"chat_{self.scope['url_route']['kwargs']['room']}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send_json({"message": f"Welcome, {self.user}!"})

    async def disconnect(self, code: int) -> None:
        if self.group is not None:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive_json(self, content: dict, **_: object) -> None:
        if self.group is None:
            return  # A frame that crossed the close.
        event = {"type": "chat.message", "message": content["message"], "username": self.user}
        await self.channel_layer.group_send(self.group, event)

    async def chat_message(self, event: dict) -> None:
        await self.send_json({"message": event["message"], "username": event["username"]})


application = ProtocolTypeRouter(
    {
        "http": get_asgi_application(),
        "websocket": URLRouter([path("ws/chat/<str:room>/", Chat.as_asgi())]),
    }
)
