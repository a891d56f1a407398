"""The paths that simplejwt's documentation uses, and those of the two cookie variants."""

from __future__ import annotations

from django.urls import path
from rest_framework_simplejwt.views import TokenBlacklistView

from .cookie_views import CookieObtainView, CookieRefreshView
from .session_views import sign_in, sign_out
from .views import ObtainView, RefreshView

urlpatterns = [
    path("api/token/", ObtainView.as_view()),
    path("api/token/refresh/", RefreshView.as_view()),
    path("api/token/blacklist/", TokenBlacklistView.as_view()),
    path("api/cookie/token/", CookieObtainView.as_view()),
    path("api/cookie/refresh/", CookieRefreshView.as_view()),
    path("login/", sign_in),
    path("logout/", sign_out),
]
