"""``/ws/rooms``: the rooms protocol by ``authed_rooms.py``, as a user of that file writes it."""

from typing import Annotated, Any

import jwt
from authed_rooms import AuthedRooms, Identity, MemoryStore, RedisStore, Refused, RoomsConnection, Settings
from fastapi import APIRouter, Depends
from harness.door import Visit
from harness.rooms import obey, redis_url
from harness.state import FORBIDDEN_ROOM, State

from .accounts import Accounts
from .tokens import AccessTokens


def build(state: State, accounts: Accounts, tokens: AccessTokens) -> APIRouter:
    def user_of(token: str) -> Identity | None:
        try:
            claims = tokens.decode(token)
        except jwt.PyJWTError:
            return None
        user, expires = claims.get("sub"), claims.get("exp")
        if not isinstance(user, str) or not accounts.exists(user) or user in state.revoked:
            return None
        return Identity(user, float(expires) if isinstance(expires, (int, float)) else None)

    def may_join(user: str, room: str, params: dict[str, Any]) -> bool:
        return room != FORBIDDEN_ROOM

    def call(user: str, method: str, data: Any) -> Any:
        match method:
            case "echo":
                return data
            case "order.place":
                return {"placed": True, "by": user, "order": data}
        raise Refused("unknown-method", "this server has no such method")

    url = redis_url()
    settings = Settings(token_cookie="access_token")
    rooms = AuthedRooms(
        user_of,
        authorize=may_join,
        on_call=call,
        store=RedisStore(url) if url else MemoryStore(),
        settings=settings,
    )
    obey(state, settings)
    router = APIRouter()

    @router.websocket("/ws/rooms")
    async def endpoint(connection: Annotated[RoomsConnection, Depends(rooms)]) -> None:
        visit: Visit = connection.websocket.scope["visit"]
        visit.connection = connection
        await connection.serve()

    return router
