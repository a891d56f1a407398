"""Puts the application together."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, status
from harness.control import ControlDoor
from harness.cors import AllowAnyOrigin
from harness.door import App, SocketDoor
from harness.probe import Probe
from harness.process import signing_key
from harness.state import RevokedUsers, State

from . import article_chat, chat_v2, rooms, token_routes
from .accounts import Accounts
from .backend import FastApiBackend
from .tokens import AccessTokens


def build(data: Path) -> App:
    state = State(RevokedUsers(data))
    accounts = Accounts(data / "accounts.sqlite3")
    tokens = AccessTokens(signing_key(data), state)

    app = FastAPI(openapi_url=None)
    app.state.door, app.state.accounts, app.state.tokens = state, accounts, tokens
    app.state.rooms = chat_v2.Rooms()
    rooms_router = rooms.build(state, accounts, tokens)
    for routes in (token_routes.router, article_chat.router, chat_v2.router, rooms_router):
        app.include_router(routes)

    backend = FastApiBackend(accounts, tokens)
    watched = SocketDoor(app, state, own_code=status.WS_1008_POLICY_VIOLATION)
    return Probe(AllowAnyOrigin(ControlDoor(watched, state, backend)))
