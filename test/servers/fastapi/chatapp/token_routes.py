"""OAuth2 password flow as in the FastAPI documentation, with the refresh token that it leaves out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.security import OAuth2PasswordRequestForm
from harness.state import State
from pydantic import BaseModel

from .accounts import Accounts
from .tokens import AccessTokens

router = APIRouter()


class RefreshRequest(BaseModel):
    refresh_token: str


def _refuse(detail: str) -> HTTPException:
    return HTTPException(status_code=401, detail=detail, headers={"WWW-Authenticate": "Bearer"})


def _pair(request: Request, user: str, refresh: str) -> dict[str, Any]:
    tokens: AccessTokens = request.app.state.tokens
    access = tokens.issue(user)
    return {
        "access_token": access.text,
        "token_type": "bearer",
        "expires_in": access.lifetime_seconds,
        "refresh_token": refresh,
    }


@router.post("/token")
async def obtain(
    request: Request, form: Annotated[OAuth2PasswordRequestForm, Depends()]
) -> dict[str, Any]:
    accounts: Accounts = request.app.state.accounts
    door: State = request.app.state.door
    if door.settings.refuseTokens or not accounts.authenticate(form.username, form.password):
        raise _refuse("Incorrect username or password")
    return _pair(request, form.username, accounts.issue_refresh_token(form.username))


@router.post("/token/refresh")
async def refresh(request: Request, body: RefreshRequest) -> dict[str, Any]:
    accounts: Accounts = request.app.state.accounts
    door: State = request.app.state.door
    # A refusal by setting or revocation leaves the token unused: it would work again afterwards.
    if door.settings.refuseTokens or accounts.owner(body.refresh_token) in door.revoked:
        raise _refuse("Invalid refresh token")
    rotated = accounts.rotate(body.refresh_token)
    if rotated is None:
        raise _refuse("Invalid refresh token")
    return _pair(request, *rotated)


@router.post("/token/revoke")
async def revoke(request: Request, body: RefreshRequest) -> dict[str, Any]:
    """Answers the same for a token that nobody knows (RFC 7009 section 2.2)."""
    request.app.state.accounts.revoke_family(body.refresh_token)
    return {}
