"""A Channels chat behind Django's session cookie, in one file. Run: CHAT_SECRET=… CHAT_DB=… daphne channels_session:application"""

import json
import os

import django
from django.conf import settings

settings.configure(
    SECRET_KEY=os.environ["CHAT_SECRET"],
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["CHAT_DB"]}},
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
)
django.setup()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.contrib.auth import authenticate, login, logout  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpRequest, HttpResponse, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.csrf import ensure_csrf_cookie  # noqa: E402
from django.views.decorators.http import require_POST  # noqa: E402

call_command("migrate", run_syncdb=True, verbosity=0)
if "CHAT_PASSWORD" in os.environ and not User.objects.filter(username="alice").exists():
    User.objects.create_user("alice", password=os.environ["CHAT_PASSWORD"])


# region views
@require_POST
def sign_in(request: HttpRequest) -> JsonResponse:
    given = json.loads(request.body)
    user = authenticate(request, username=given["username"], password=given["password"])
    if user is None:
        return JsonResponse({"detail": "Wrong user name or password."}, status=401)
    login(request, user)
    return JsonResponse({"user": user.get_username()})


@require_POST
def sign_out(request: HttpRequest) -> JsonResponse:
    logout(request)
    return JsonResponse({})


@ensure_csrf_cookie
def csrf(request: HttpRequest) -> JsonResponse:
    return JsonResponse({})


# The probe. Not @login_required: that redirects to a page, which says nothing of the cookie.
def signed_in(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204 if request.user.is_authenticated else 401)


urlpatterns = [
    path("login/", sign_in),
    path("logout/", sign_out),
    path("csrf/", csrf),
    path("signed-in/", signed_in),
]
# endregion


class Chat(AsyncJsonWebsocketConsumer):
    group: str | None = None

    async def connect(self) -> None:
        self.user = self.scope["user"]
        if not self.user.is_authenticated:
            await self.close()  # Before it accepts: HTTP 403, of which a browser shows nothing.
            return
        self.group = f"chat_{self.scope['url_route']['kwargs']['room']}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        await self.send_json({"message": f"Welcome, {self.user.get_username()}!"})

    async def disconnect(self, code: int) -> None:
        if self.group is not None:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive_json(self, content: dict, **_: object) -> None:
        event = {"type": "chat.message", "message": content["message"], "username": self.user.get_username()}
        await self.channel_layer.group_send(self.group, event)

    async def chat_message(self, event: dict) -> None:
        await self.send_json({"message": event["message"], "username": event["username"]})


routes = URLRouter([path("ws/session/<str:room>/", Chat.as_asgi())])
application = ProtocolTypeRouter(
    {
        "http": get_asgi_application(),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(routes)),
    }
)
