"""What a test can turn on, and what it can look at afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .door import Visit

FORBIDDEN_ROOM = "forbidden"
DEFAULT_ACCESS_LIFETIME_MS = 300_000


@dataclass(frozen=True)
class SocketRefusal:
    """How sockets that the endpoint itself would have let in are refused."""

    when: Literal["before-accept", "after-accept"]
    code: int = 0
    afterMs: int = 0

    @classmethod
    def parse(cls, value: dict[str, Any]) -> SocketRefusal:
        if value.get("when") not in ("before-accept", "after-accept"):
            raise ValueError("refuseSockets.when is 'before-accept' or 'after-accept'")
        return cls(value["when"], int(value.get("code") or 0), int(value.get("afterMs") or 0))


@dataclass
class Settings:
    """The names are those of the control door's JSON."""

    accessLifetimeMs: int = DEFAULT_ACCESS_LIFETIME_MS
    refuseTokens: bool = False
    refuseSockets: SocketRefusal | None = None
    closeAtExpiry: bool | None = None
    """``None``: as the endpoint's protocol says, which is to close on ``/ws/rooms`` and not to elsewhere."""

    # Of /ws/rooms alone; ``ROOM_SETTINGS`` names their counterparts.
    heartbeatMs: int = 25_000
    frameBytes: int = 65_536
    roomsPerJoin: int = 100
    rooms: int = 10_000
    inFlight: int = 64
    historyLimit: int = 100
    sendsPerSecond: float | None = None
    framesPerSecond: float | None = None
    bytesPerSecond: float | None = None
    resumeWindowMs: int = 120_000
    keepMessages: int = 1_000
    roomMessages: int = 100_000
    leaseMs: int = 30_000
    leaseRenewMs: int = 10_000
    catchUpMs: int = 5_000
    firstMessageMs: int = 5_000
    expiringAheadMs: int | None = 30_000
    drainMs: int = 250
    bufferedBytes: int = 1_048_576
    stallMs: int = 10_000
    origins: list[str] | None = None

    def merge(self, changes: dict[str, Any]) -> None:
        """Raises before anything is changed, so a test's typing mistake never half-applies."""
        unknown = changes.keys() - asdict(self).keys()
        if unknown:
            raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
        refusal = changes.get("refuseSockets")
        parsed = {**changes, "refuseSockets": SocketRefusal.parse(refusal)} if refusal else changes
        for name, value in parsed.items():
            setattr(self, name, value)


class RevokedUsers:
    """A file, not memory: a revocation outlives the process exactly like the tokens that it concerns."""

    def __init__(self, data: Path) -> None:
        self._path = data / "revoked.json"
        self._names: set[str] = set(json.loads(self._path.read_text())) if self._path.exists() else set()

    def __contains__(self, user: str) -> bool:
        return user in self._names

    def add(self, user: str) -> None:
        self._names.add(user)
        self._path.write_text(json.dumps(sorted(self._names)))

    def clear(self) -> None:
        self._names.clear()
        self._path.unlink(missing_ok=True)


@dataclass
class State:
    """One per process."""

    revoked: RevokedUsers
    settings: Settings = field(default_factory=Settings)
    received: list[dict[str, Any]] = field(default_factory=list)
    open: set[Visit] = field(default_factory=set)
    on_settings: Callable[[Settings], None] = lambda settings: None

    def reset(self) -> None:
        """As new, except that nobody is thrown out: open sockets belong to the test that opened them."""
        self.settings = Settings()
        self.received.clear()
        self.revoked.clear()
        self.on_settings(self.settings)

    def merge(self, changes: dict[str, Any]) -> None:
        self.settings.merge(changes)
        self.on_settings(self.settings)

    def may_enter(self, user: str, room: str) -> bool:
        """Authorization, after authentication: who may be where."""
        return room != FORBIDDEN_ROOM and user not in self.revoked
