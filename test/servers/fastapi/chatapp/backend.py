"""The control door's view of the accounts."""

from __future__ import annotations

from .accounts import Accounts
from .tokens import AccessTokens


class FastApiBackend:
    def __init__(self, accounts: Accounts, tokens: AccessTokens) -> None:
        self._accounts = accounts
        self._tokens = tokens

    async def reset(self) -> None:
        self._accounts.reset()

    async def mint(self, user: str, kind: str, lifetime_ms: int | None) -> dict[str, str]:
        """``refresh`` puts a refresh token where the access token belongs, as confused clients do."""
        if not self._accounts.exists(user):
            raise LookupError(f"no user {user}")
        refresh = self._accounts.issue_refresh_token(user)
        match kind:
            case "valid":
                access = self._tokens.issue(user, lifetime_ms).text
            case "expired":
                access = self._tokens.issue_expired(user)
            case "refresh":
                access = refresh
            case _:
                raise ValueError(f"no such kind of token: {kind}")
        return {"access": access, "refresh": refresh}

    async def delete_user(self, user: str) -> None:
        self._accounts.delete(user)
