"""simplejwt's own token views, with the refusals that a test can turn on."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer, TokenRefreshSerializer
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from .state import state
from .tokens import ChatRefreshToken


class ObtainSerializer(TokenObtainPairSerializer):
    token_class = ChatRefreshToken

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        if state.settings.refuseTokens:
            raise AuthenticationFailed(self.error_messages["no_active_account"], "no_active_account")
        return super().validate(attrs)


class RefreshSerializer(TokenRefreshSerializer):
    token_class = ChatRefreshToken

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        # Both before the rotation: the token would work again afterwards.
        if state.settings.refuseTokens:
            raise TokenError("Token is invalid")
        if _owner(ChatRefreshToken(attrs["refresh"])) in state.revoked:
            raise TokenError("Token is blacklisted")
        return super().validate(attrs)


def _owner(token: ChatRefreshToken) -> str:
    user = get_user_model().objects.filter(id=token["user_id"]).first()
    return user.get_username() if user else ""


class ObtainView(TokenObtainPairView):
    serializer_class = ObtainSerializer  # type: ignore[assignment]


class RefreshView(TokenRefreshView):
    serializer_class = RefreshSerializer  # type: ignore[assignment]
