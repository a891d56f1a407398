"""A FastAPI chat whose refusals arrive. Run: CHAT_SECRET=… uvicorn fastapi_app:app"""

import os
from collections import defaultdict

import jwt
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

SECRET = os.environ["CHAT_SECRET"]

app = FastAPI()
rooms: defaultdict[str, set[WebSocket]] = defaultdict(set)


# region refuse
def user_of(token: str) -> str | None:
    try:
        # Without "require" a token that has no exp is valid for ever.
        claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"require": ["exp", "sub"]})
    except jwt.PyJWTError:
        return None
    return claims["sub"]


@app.websocket("/ws/chat/{room}")
async def chat(websocket: WebSocket, room: str) -> None:
    offered = websocket.scope["subprotocols"]  # ["token", "<jwt>"]
    token = offered[1] if len(offered) == 2 and offered[0] == "token" else ""
    # Echo the word, never the token. Accept first: a close before that reaches no client.
    await websocket.accept(subprotocol="token" if token else None)
    user = user_of(token)
    if user is None:
        await websocket.close(4003, "token refused")
        return
    # endregion
    await websocket.send_json({"message": f"Welcome, {user}!"})
    rooms[room].add(websocket)
    try:
        while True:
            message = (await websocket.receive_json())["message"]
            for member in list(rooms[room]):
                await member.send_json({"message": message, "username": user})
    except WebSocketDisconnect:
        pass
    finally:
        rooms[room].discard(websocket)
