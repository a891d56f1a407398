"""Broken servers that the test servers beside are not: ``--app`` names the fault."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

ASGI = Path(__file__).parents[2] / "servers" / "asgi"
sys.path.insert(0, str(ASGI))  # for `harness`

from harness import process  # noqa: E402


def origins() -> None:
    """Channels behind ``AllowedHostsOriginValidator``: a dial without an Origin, or with a foreign one, gets 403."""
    from django.conf import settings

    settings.configure(ALLOWED_HOSTS=["127.0.0.1"], CHANNEL_LAYERS={}, SECRET_KEY="test")
    from channels.generic.websocket import AsyncWebsocketConsumer
    from channels.routing import ProtocolTypeRouter, URLRouter
    from channels.security.websocket import AllowedHostsOriginValidator
    from django.core.asgi import get_asgi_application
    from django.urls import path

    class Open(AsyncWebsocketConsumer):
        async def connect(self) -> None:
            await self.accept()

    routes = AllowedHostsOriginValidator(URLRouter([path("ws/", Open.as_asgi())]))
    serve(ProtocolTypeRouter({"http": get_asgi_application(), "websocket": routes}), "websockets-sansio")


def no_websockets() -> None:
    """uvicorn where no WebSocket library is installed: an upgrade is an ordinary request."""
    from starlette.applications import Starlette

    serve(Starlette(), "none")


def wsgi() -> None:
    """What ``runserver`` is without daphne."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            return

    def app(_environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        start_response("404 Not Found", [("Content-Type", "text/html")])
        return [b"<h1>Not Found</h1>"]

    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    process.announce(server.server_port)
    server.serve_forever()


def raises_everywhere() -> None:
    """An application that fails before it accepts, for everybody, while other paths are answered."""
    from starlette.applications import Starlette
    from starlette.routing import WebSocketRoute
    from starlette.websockets import WebSocket

    async def chat(_websocket: WebSocket) -> None:
        raise RuntimeError("the database is away")

    serve(Starlette(routes=[WebSocketRoute("/ws", chat)]), "wsproto")


def serve(app: Any, ws: str) -> None:
    process.serve_with_uvicorn(app, ws, 0, "warning")


APPS = {app.__name__.replace("_", "-"): app for app in (origins, no_websockets, wsgi, raises_everywhere)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--app", choices=APPS, required=True)
    process.log_to_stderr("error")
    process.stop_when_stdin_ends()
    APPS[parser.parse_args().app]()


if __name__ == "__main__":
    main()
