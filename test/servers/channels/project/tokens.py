"""simplejwt's tokens with the lifetime that a test chose."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from .state import state


class TimedAccessToken(AccessToken):
    @property
    def lifetime(self) -> timedelta:  # type: ignore[override]
        return timedelta(milliseconds=state.settings.accessLifetimeMs)

    def set_exp(
        self, claim: str = "exp", from_time: datetime | None = None, lifetime: timedelta | None = None
    ) -> None:
        """simplejwt rounds down; rounding up keeps a short-lived token from being born dead."""
        start = from_time or self.current_time
        self.payload[claim] = math.ceil((start + (lifetime or self.lifetime)).timestamp())


class ChatRefreshToken(RefreshToken):
    access_token_class = TimedAccessToken
