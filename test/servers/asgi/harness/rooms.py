"""What the two ``/ws/rooms`` need from a test: the door's settings, the Redis that several processes share."""

from __future__ import annotations

import os
from typing import Any, Protocol

from .state import Settings, State

REDIS = "CHAT_REDIS"
"""The environment variable by which ``run.py`` hands ``--redis`` to the application."""

ROOM_SETTINGS = {
    "closeAtExpiry": "close_at_expiry",
    "heartbeatMs": "heartbeat_ms",
    "frameBytes": "frame_bytes",
    "roomsPerJoin": "rooms_per_join",
    "sendsPerSecond": "sends_per_second",
    "resumeWindowMs": "resume_window_ms",
    "leaseMs": "lease_ms",
    "keepMessages": "keep",
    "catchUpMs": "catch_up_ms",
    "authMs": "auth_ms",
    "expiringMs": "expiring_ms",
    "drainMs": "drain_ms",
    "bufferBytes": "buffer_bytes",
    "stallMs": "stall_ms",
    "maxRooms": "rooms",
    "maxInFlight": "in_flight",
    "origins": "origins",
}
"""The door's name, and that in ``authed_rooms.Settings``."""


class Connection(Protocol):
    @property
    def user(self) -> str | None: ...

    @property
    def rooms(self) -> Any: ...


def obey(state: State, rooms: Any) -> None:
    """``rooms``: the ``Settings`` of the module ``authed_rooms``, which each of the two servers has."""

    def apply(settings: Settings) -> None:
        for name, own in ROOM_SETTINGS.items():
            setattr(rooms, own, getattr(settings, name))

    apply(state.settings)
    state.on_settings = apply


def redis_url() -> str | None:
    return os.environ.get(REDIS)
