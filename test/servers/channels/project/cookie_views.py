"""The refresh token in an httpOnly cookie, out of the reach of scripts; the access token in the body.

A cookie travels with any request to this host, so a refresh must also show the ``csrftoken`` cookie in a
header, which only a page that may read this host's cookies can do. Django's own CSRF middleware is not
used: it answers in HTML, and refuses the other loopback ports from which the tests' pages come.
"""

from __future__ import annotations

import secrets
from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError

from .views import ObtainView, RefreshView

REFRESH_COOKIE = "refresh_token"
CSRF_COOKIE = "csrftoken"
PATH = "/api/cookie/"


def _move_refresh_token_to_cookie(response: Response) -> Response:
    refresh = response.data.pop("refresh")
    response.set_cookie(REFRESH_COOKIE, refresh, path=PATH, httponly=True, samesite="Lax", max_age=86400)
    return response


class CookieObtainView(ObtainView):
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = _move_refresh_token_to_cookie(super().post(request, *args, **kwargs))
        response.set_cookie(CSRF_COOKIE, secrets.token_urlsafe(24), samesite="Lax")
        return response


class CookieRefreshView(RefreshView):
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        expected = request.COOKIES.get(CSRF_COOKIE, "")
        if not expected or not secrets.compare_digest(request.headers.get("X-CSRFToken", ""), expected):
            raise PermissionDenied("CSRF Failed: CSRF token missing or incorrect.")
        refresh = request.COOKIES.get(REFRESH_COOKIE)
        if refresh is None:
            raise InvalidToken("No refresh token cookie")
        serializer = self.get_serializer(data={"refresh": refresh})
        try:
            serializer.is_valid(raise_exception=True)
        except TokenError as error:
            raise InvalidToken(error.args[0]) from error
        return _move_refresh_token_to_cookie(Response(serializer.validated_data))
