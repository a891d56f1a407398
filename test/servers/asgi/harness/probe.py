"""``/_probe/<what>``: the moves that an ASGI application can make on a socket, one endpoint each.

Frameworks are not involved, so what a client sees here is the server's doing. ``measure.mjs`` records it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from .door import App, Receive, Scope, Send

PREFIX = "/_probe/"


class Request:
    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.receive = receive
        self.send = send
        self._query = parse_qs(scope["query_string"].decode())

    def option(self, name: str, default: str = "") -> str:
        return self._query.get(name, [default])[0]

    async def accept(self) -> None:
        await self.send({"type": "websocket.accept", "subprotocol": self.option("subprotocol") or None})

    async def close(self) -> None:
        code = int(self.option("code", "4003"))
        await self.send({"type": "websocket.close", "code": code, "reason": self.option("reason")})


async def close_before_accept(request: Request) -> None:
    await request.close()


async def accept_then_close(request: Request) -> None:
    """``message``: sent between the two, as servers do that explain themselves."""
    await request.accept()
    if request.option("message"):
        await request.send({"type": "websocket.send", "text": request.option("message")})
    await request.close()


async def raise_before_accept(request: Request) -> None:
    raise RuntimeError("probe")


async def raise_after_accept(request: Request) -> None:
    await request.accept()
    raise RuntimeError("probe")


async def return_without_accept(request: Request) -> None:
    return


async def return_after_accept(request: Request) -> None:
    await request.accept()


async def accept_late(request: Request) -> None:
    await asyncio.sleep(float(request.option("seconds")))
    await request.accept()
    await echo(request, accepted=True)


async def answer_http(request: Request) -> None:
    """The Denial Response extension of ASGI: an HTTP answer in place of the upgrade."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"20"), (b"retry-after", b"7")]
    status = int(request.option("status", "401"))
    await request.send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await request.send({"type": "websocket.http.response.body", "body": b'{"detail":"refused"}'})


async def echo(request: Request, *, accepted: bool = False) -> None:
    if not accepted:
        await request.accept()
    while True:
        message = await request.receive()
        if message["type"] == "websocket.disconnect":
            return
        await request.send({"type": "websocket.send", "text": message.get("text") or "binary"})


MOVES: dict[str, Callable[[Request], Awaitable[None]]] = {
    move.__name__.replace("_", "-"): move
    for move in (
        close_before_accept,
        accept_then_close,
        raise_before_accept,
        raise_after_accept,
        return_without_accept,
        return_after_accept,
        accept_late,
        answer_http,
        echo,
    )
}


class Probe:
    """ASGI middleware for WebSockets."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        move = MOVES.get(scope.get("path", "").removeprefix(PREFIX))
        if scope["type"] != "websocket" or move is None or not scope["path"].startswith(PREFIX):
            await self.app(scope, receive, send)
            return
        await receive()  # websocket.connect
        await move(Request(scope, receive, send))
