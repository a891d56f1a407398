"""The control door's view of Django's users and simplejwt's tokens."""

from __future__ import annotations

from datetime import timedelta

from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model

from .database import create_users
from .tokens import ChatRefreshToken


class ChannelsBackend:
    async def reset(self) -> None:
        await database_sync_to_async(create_users)()

    async def mint(self, user: str, kind: str, lifetime_ms: int | None) -> dict[str, str]:
        return await database_sync_to_async(_mint)(user, kind, lifetime_ms)

    async def delete_user(self, user: str) -> None:
        await database_sync_to_async(_delete)(user)


def _delete(name: str) -> None:
    get_user_model().objects.filter(username=name).delete()


def _mint(name: str, kind: str, lifetime_ms: int | None) -> dict[str, str]:
    """``refresh`` puts a refresh token where the access token belongs, as confused clients do."""
    user = get_user_model().objects.filter(username=name).first()
    if user is None:
        raise LookupError(f"no user {name}")
    refresh = ChatRefreshToken.for_user(user)
    access = refresh.access_token
    match kind:
        case "valid":
            if lifetime_ms is not None:
                access.set_exp(lifetime=timedelta(milliseconds=lifetime_ms))
        case "expired":
            access.set_exp(lifetime=timedelta(seconds=-10))
        case "refresh":
            access = refresh
        case _:
            raise ValueError(f"no such kind of token: {kind}")
    return {"access": str(access), "refresh": str(refresh)}
