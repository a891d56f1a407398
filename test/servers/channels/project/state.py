"""The one ``State`` of this process."""

from __future__ import annotations

from django.conf import settings
from harness.state import RevokedUsers, State

state = State(RevokedUsers(settings.DATA))
