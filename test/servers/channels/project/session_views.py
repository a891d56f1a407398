"""Sign-in by session cookie, as JSON and exempt from CSRF checks, so that Node can use it too."""

from __future__ import annotations

import json

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from .state import state


@require_POST
def sign_in(request: HttpRequest) -> JsonResponse:
    try:
        body = json.loads(request.body)
        credentials = {"username": body["username"], "password": body["password"]}
    except (ValueError, TypeError, KeyError):
        return JsonResponse({"detail": "username and password are required"}, status=400)
    user = None if state.settings.refuseTokens else authenticate(request, **credentials)
    if user is None:
        detail = "No active account found with the given credentials"
        return JsonResponse({"detail": detail, "code": "no_active_account"}, status=401)
    login(request, user)
    return JsonResponse({"username": user.get_username()})


@require_POST
def sign_out(request: HttpRequest) -> JsonResponse:
    logout(request)
    return JsonResponse({})
