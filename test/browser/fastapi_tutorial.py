"""The token and the WebSocket of FastAPI's tutorial: claims sub and exp, no refresh, a refusal before accept."""

import os
from datetime import UTC, datetime, timedelta
from typing import Annotated

import jwt
from fastapi import FastAPI, Form, WebSocket, WebSocketException
from fastapi.responses import HTMLResponse

SECRET = os.environ["CHAT_SECRET"]
LIFE = timedelta(seconds=4)

app = FastAPI()
open_sockets: set[WebSocket] = set()
# Of each dial: whose token it was, and whether it was taken.
dials: list[tuple[str, bool]] = []


@app.get("/page")
def page() -> HTMLResponse:
    return HTMLResponse("<!doctype html><title>chat</title>")


@app.post("/token")
def token(username: Annotated[str, Form()], password: Annotated[str, Form()]) -> dict[str, str]:
    # The tutorial writes whole seconds.
    claims = {"sub": username, "exp": datetime.now(UTC) + LIFE}
    return {"access_token": jwt.encode(claims, SECRET, "HS256"), "token_type": "bearer"}


@app.post("/drop")
async def drop() -> None:
    """Ends all connections, as a restart of the proxy does."""
    for socket in list(open_sockets):
        await socket.close(1012)


@app.get("/dials")
def seen() -> list[tuple[str, bool]]:
    return dials


@app.websocket("/ws/{room}")
async def chat(websocket: WebSocket, room: str, token: str = "") -> None:
    user = jwt.decode(token, options={"verify_signature": False})["sub"]
    try:
        jwt.decode(token, SECRET, algorithms=["HS256"])
    except jwt.PyJWTError:
        dials.append((user, False))
        raise WebSocketException(code=1008) from None
    dials.append((user, True))
    await websocket.accept()
    open_sockets.add(websocket)
    try:
        async for text in websocket.iter_text():
            await websocket.send_text(f"{room}: {text}")
    finally:
        open_sockets.discard(websocket)
