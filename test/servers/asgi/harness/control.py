"""The control door: JSON over POST under ``/_control/``, answered before the application sees anything."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Protocol

from .door import App, Receive, Scope, Send
from .state import State

PREFIX = "/_control/"


class Backend(Protocol):
    """What the door needs from the application: its accounts and its tokens."""

    async def reset(self) -> None: ...

    async def mint(self, user: str, kind: str, lifetime_ms: int | None) -> dict[str, str]: ...

    async def delete_user(self, user: str) -> None: ...


class ControlDoor:
    """ASGI middleware for HTTP."""

    def __init__(self, app: App, state: State, backend: Backend) -> None:
        self.app = app
        self.state = state
        self.backend = backend
        # close() only schedules; without a reference a task may be collected before it ran.
        self._closing: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self.app(scope, receive, send)
            return
        try:
            if scope["method"] != "POST":
                raise ValueError("the control door takes POST only")
            body = json.loads(await read_body(receive) or b"{}")
            answer = await self._command(scope["path"].removeprefix(PREFIX), body)
            await send_json(send, 200, answer)
        except (KeyError, ValueError, TypeError, LookupError) as error:
            await send_json(send, 400, {"detail": f"{type(error).__name__}: {error}"})

    async def _command(self, name: str, body: dict[str, Any]) -> Any:
        state, backend = self.state, self.backend
        match name:
            case "reset":
                state.reset()
                await backend.reset()
            case "mint":
                return await backend.mint(body["user"], body.get("kind", "valid"), body.get("lifetimeMs"))
            case "settings":
                state.merge(body)
            case "revoke":
                state.revoked.add(body["user"])
            case "delete-user":
                await backend.delete_user(body["user"])
            case "close":
                return {"closed": self._close(body)}
            case "received":
                return state.received
            case "sockets":
                return {"open": len(state.open)}
            case _:
                raise ValueError(f"no such command: {name}")
        return {}

    def _close(self, body: dict[str, Any]) -> int:
        """Does not wait: uvicorn's ``close`` lasts until the peer has answered, which may be never."""
        room = body.get("room")
        visits = [visit for visit in self.state.open if room is None or visit.is_in(room)]
        for visit in visits:
            task = asyncio.get_running_loop().create_task(visit.close(body["code"], body.get("reason", "")))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        return len(visits)


async def read_body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body


async def send_json(send: Send, status: int, content: Any) -> None:
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
