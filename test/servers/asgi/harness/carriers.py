"""Where the v2 endpoints look for the token, and which subprotocol they answer with.

Anything a client can do without a server's help is accepted: the query, a subprotocol (the only request
header that a browser page can set), and, outside browsers, ``Authorization`` and a cookie.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from .door import Scope

PAIR = "token"
"""``Sec-WebSocket-Protocol: token, <jwt>``: the word, then the token itself."""
BEARER = "base64url.bearer.authorization.k8s.io."
"""The form that Kubernetes uses: an application's protocol, and the token in base64url behind this prefix."""


def find_token(scope: Scope) -> str | None:
    """The first carrier that holds anything wins; a bad token there is not made good by another."""
    return _from_subprotocol(scope) or _from_query(scope) or _from_authorization(scope) or _from_cookie(scope)


def token_in_frame(text: str | None) -> str | None:
    """The token of a first message: ``{"type": "auth", "id": 0, "token": "..."}``."""
    try:
        frame = json.loads(text or "")
    except ValueError:
        return None
    token = frame.get("token") if isinstance(frame, dict) and frame.get("type") == "auth" else None
    return token if isinstance(token, str) else None


def pick_subprotocol(scope: Scope) -> str | None:
    """The first offered protocol that carries no token.

    A browser fails the connection when it offered protocols and none comes back, and echoing the token
    would put it into ``socket.protocol``. A protocol that was not offered must never be named: besides
    failing the connection, it kills daphne's watch over exceptions for the rest of the process.
    """
    offered: list[str] = scope.get("subprotocols", [])
    for index, protocol in enumerate(offered):
        is_pair_token = index > 0 and offered[index - 1] == PAIR
        if not is_pair_token and not protocol.startswith(BEARER):
            return protocol
    return None


def _from_subprotocol(scope: Scope) -> str | None:
    offered: list[str] = scope.get("subprotocols", [])
    for index, protocol in enumerate(offered):
        if protocol.startswith(BEARER):
            return _decode_base64url(protocol.removeprefix(BEARER))
        if index > 0 and offered[index - 1] == PAIR:
            return protocol
    return None


def _decode_base64url(text: str) -> str:
    """Subprotocols cannot hold ``=``, so the padding was left out. Nonsense is a bad token, not an error."""
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "undecodable"


def _from_query(scope: Scope) -> str | None:
    return parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [None])[0]


def _header(scope: Scope, name: bytes) -> str | None:
    headers: list[tuple[bytes, Any]] = scope["headers"]
    return next((value.decode("latin-1") for key, value in headers if key.lower() == name), None)


def _from_authorization(scope: Scope) -> str | None:
    scheme, _, token = (_header(scope, b"authorization") or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _from_cookie(scope: Scope) -> str | None:
    try:
        morsel = SimpleCookie(_header(scope, b"cookie") or "").get("access_token")
    except CookieError:
        return None
    return morsel.value if morsel else None
