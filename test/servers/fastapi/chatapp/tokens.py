"""Access tokens: JWTs as in the FastAPI documentation, ``sub`` and ``exp``, signed with HS256."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import jwt
from harness.state import State

ALGORITHM = "HS256"


@dataclass(frozen=True)
class AccessToken:
    text: str
    lifetime_seconds: float


class AccessTokens:
    def __init__(self, key: str, state: State) -> None:
        self._key = key
        self._state = state

    def issue(self, user: str, lifetime_ms: int | None = None) -> AccessToken:
        if lifetime_ms is None:
            lifetime_ms = self._state.settings.accessLifetimeMs
        seconds = lifetime_ms / 1000
        # JWT libraries compare whole seconds. Rounding up keeps a short-lived token from being born dead.
        text = self._sign(user, math.ceil(time.time() + seconds))
        return AccessToken(text, int(seconds) if seconds.is_integer() else seconds)

    def issue_expired(self, user: str) -> str:
        return self._sign(user, int(time.time()) - 10)

    def _sign(self, user: str, expires: int) -> str:
        issued = min(int(time.time()), expires - 1)
        return jwt.encode({"sub": user, "iat": issued, "exp": expires}, self._key, algorithm=ALGORITHM)

    def decode(self, text: str) -> dict[str, object]:
        """Like the article's code this takes a token without ``exp`` for one that never expires.

        Raises ``jwt.PyJWTError``.
        """
        return jwt.decode(text, self._key, algorithms=[ALGORITHM])
