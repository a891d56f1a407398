"""``scope["user"]`` from ``?token=``, with the faults of the article's middleware.

A client has to live with them: the query is split by hand, so a single ``=`` inside any value makes
everybody anonymous, nothing is percent-decoded and the last of two ``token`` wins; and the error of a
deleted or inactive user is none of the two that are caught, so the server answers 500.
"""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from harness.door import App, Receive, Scope, Send
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError


@database_sync_to_async
def _user_of(token: str) -> AbstractBaseUser | AnonymousUser:
    authentication = JWTAuthentication()
    try:
        return authentication.get_user(authentication.get_validated_token(token.encode()))
    except (InvalidToken, TokenError):
        return AnonymousUser()


def _naive_query(scope: Scope) -> dict[str, str]:
    """Raises ``ValueError`` for ``a=b=c``."""
    pairs: list[Any] = [part.split("=") for part in scope["query_string"].decode().split("&") if "=" in part]
    return dict(pairs)


class TokenAuthMiddleware:
    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            token = _naive_query(scope).get("token")
        except ValueError:
            token = None
        scope["user"] = await _user_of(token) if token else AnonymousUser()
        await self.app(scope, receive, send)
