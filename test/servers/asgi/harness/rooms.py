"""What the two ``/ws/rooms`` take from a test: the door's settings, the Redis that processes share."""

from __future__ import annotations

import os
from typing import Any, Protocol

from .state import Settings, State

REDIS = "CHAT_REDIS"
"""The environment variable by which ``run.py`` hands ``--redis`` to the application."""

ROOM_SETTINGS = {
    "heartbeatMs": "heartbeat_ms",
    "frameBytes": "frame_bytes",
    "roomsPerJoin": "rooms_per_join",
    "rooms": "rooms",
    "inFlight": "in_flight",
    "historyLimit": "history",
    "sendsPerSecond": "sends_per_second",
    "framesPerSecond": "frames_per_second",
    "bytesPerSecond": "bytes_per_second",
    "resumeWindowMs": "resume_window_ms",
    "keepMessages": "keep",
    "roomMessages": "room_messages",
    "leaseMs": "lease_ms",
    "leaseRenewMs": "renew_ms",
    "catchUpMs": "catch_up_ms",
    "firstMessageMs": "auth_ms",
    "drainMs": "drain_ms",
    "bufferedBytes": "buffer_bytes",
    "stallMs": "stall_ms",
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
        rooms.close_at_expiry = settings.closeAtExpiry is not False
        rooms.expiring_ms = settings.expiringAheadMs or 0

    apply(state.settings)
    state.on_settings = apply


def redis_url() -> str | None:
    return os.environ.get(REDIS)
