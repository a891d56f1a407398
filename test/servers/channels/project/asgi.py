"""The application: HTTP for tokens and sessions, WebSockets for the chat."""

from __future__ import annotations

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application
from django.urls import path
from harness.control import ControlDoor
from harness.cors import AllowAnyOrigin
from harness.door import SocketDoor
from harness.probe import Probe

# First: it sets Django up, and the imports below need models and settings.
http = get_asgi_application()

from .article_chat import ChatConsumer  # noqa: E402
from .backend import ChannelsBackend  # noqa: E402
from .chat_v2 import REFUSED, FirstMessageChat, SessionChat, TokenChat  # noqa: E402
from .rooms import RoomsConsumer  # noqa: E402
from .state import state  # noqa: E402
from .token_middleware import TokenAuthMiddleware  # noqa: E402

sockets = URLRouter(
    [
        path("ws/chat/<str:room_name>/", TokenAuthMiddleware(ChatConsumer.as_asgi())),
        path("ws/session/<str:room_name>/", AuthMiddlewareStack(ChatConsumer.as_asgi())),
        path(
            "ws/origin/<str:room_name>/",
            AllowedHostsOriginValidator(AuthMiddlewareStack(ChatConsumer.as_asgi())),
        ),
        path("ws/v2/chat/<str:room_name>/", TokenChat.as_asgi()),
        path("ws/v2/first/<str:room_name>/", FirstMessageChat.as_asgi()),
        path("ws/v2/session/<str:room_name>/", AuthMiddlewareStack(SessionChat.as_asgi())),
        path("ws/rooms", AuthMiddlewareStack(RoomsConsumer.as_asgi())),
    ]
)
watched = SocketDoor(ProtocolTypeRouter({"http": http, "websocket": sockets}), state, own_code=REFUSED)
application = Probe(AllowAnyOrigin(ControlDoor(watched, state, ChannelsBackend())))
