"""Many rooms over one authenticated WebSocket, for FastAPI: authed-rooms.v1 whole, in one file to copy.

    rooms = AuthedRooms(authenticate=user_of)

    @app.websocket("/ws/rooms")
    async def endpoint(connection: RoomsConnection = Depends(rooms)) -> None:
        await connection.serve()

Needs Python 3.11 and FastAPI, or Starlette alone; for several processes ``RedisStore`` and the package
``redis``. What goes over the wire: docs/protocol.md of authed-socket.

Read on: what you set and say, the connection, a session, the rooms of a process, frames, stores.
"""

import asyncio
import base64
import inspect
import json
import logging
import math
import re
import secrets
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Protocol
from urllib.parse import parse_qsl

from starlette.websockets import WebSocket

# --- the same in both modules, part 1: what you set and say ---

PROTOCOL = "authed-rooms.v1"
log = logging.getLogger(__name__)


@dataclass
class Settings:
    """Times in milliseconds, sizes in bytes. Read when they are needed, so they may change while it runs."""

    frame_bytes: int = 65_536
    """Of one client frame; above it ``too-large``."""
    rooms_per_join: int = 100
    rooms: int = 10_000
    """That one connection may be in."""
    in_flight: int = 64
    """Unanswered requests of one connection. Calls above it are ``rate-limited``; the rest is not read yet."""
    inbox_bytes: int = 262_144
    """Of frames of one connection that wait for their turn; beyond it no further one is read."""
    frames_per_second: float | None = 500
    """Of one connection in the long run, whatever they are; ten seconds' worth may come at once. Who sends more
    is closed with 4429. ``None``: as many as come."""
    bytes_per_second: float | None = 524_288
    """The same of their bytes."""
    presence_bytes: int = 1_024
    """Of what one client shows in a room; above it ``too-large``."""
    presence_room_bytes: int = 262_144
    """Of all that is shown in a room, 524,288 at most; who would not fit is refused with ``too-large``."""
    presence_clients: int = 16
    """Of one user that are shown in a room, so that none fills it."""
    early_bytes: int = 16_384
    """Of the one frame that a connection may send before its welcome; above it 1009."""
    waiting: int = 1_000
    """Connections of this process that may wait for their welcome at one time; above it 1013."""
    verify_ms: int = 10_000
    """How long ``authenticate`` may take; then the connection is closed with 1013."""
    history: int = 100
    """Messages of one ``history`` answer, at most."""
    sends_per_second: float | None = 100
    """Of one connection; ``None``: as many as come."""
    heartbeat_ms: int = 25_000
    resume_window_ms: int = 120_000
    """For so long a room remembers its messages and their ids, whatever their number. More costs memory."""
    keep: int = 1_000
    """The newest messages of a room that are kept beyond the window, for ``history``."""
    room_messages: int = 100_000
    """A room that got more than this within the window refuses sends instead of forgetting too early."""
    forget_ms: int = 3_600_000
    """A room where nobody was and nothing happened for so long is forgotten; the next one counts anew."""
    lease_ms: int = 30_000
    """A lost connection stays present for so long."""
    renew_ms: int = 10_000
    """How often leases are renewed; in any case three times in a lease."""
    catch_up_ms: int = 5_000
    """How often each room looks at the store by itself: that long a lost wake can delay a message."""
    auth_ms: int = 5_000
    """How long a connection without a token may take to send its ``auth`` frame."""
    expiring_ms: int = 30_000
    """How long before its token's end a connection is told so. 0: not at all."""
    close_at_expiry: bool = True
    """``False`` is for tests only: the protocol demands the close."""
    drain_ms: int = 5_000
    """On SIGTERM clients are told to move within this time, and the process ends after it. 0: no drain."""
    buffer_bytes: int = 1_048_576
    """What waits to be sent to one connection, roughly; above it its messages stay in the store for now."""
    stall_ms: int = 10_000
    """A connection that takes nothing for so long is closed with 1013."""
    token_cookie: str | None = None
    """A cookie that may carry the token."""
    origins: Collection[str] | None = None
    """Pages that may come with a cookie, as ``https://example.com``; ``None``: those of this very host."""


@dataclass(frozen=True)
class Identity:
    """Whom a token names, and when it ends: seconds since 1970 as in a JWT's ``exp``, ``None`` for never."""

    user: str
    expires_at: float | None = None


class Refused(Exception):
    """Raise it in a hook: the request is answered with this error code (docs/protocol.md) and not done."""

    def __init__(
        self, code: str = "forbidden", message: str = "not allowed", retry_after_ms: int | None = None
    ):
        super().__init__(message)
        self.code, self.message, self.retry_after_ms = code, message, retry_after_ms


class Banned(Exception):
    """Raise it when you authenticate: the user is known and may not be here at all. Closes with 4403."""


class StoreUnavailable(Exception):
    """The store does not answer now."""


@dataclass(frozen=True)
class Hooks:
    """What the application decides. Each may be a plain function or a coroutine function."""

    authenticate: Callable[[str], Any] | None
    """The token's ``Identity``; ``None`` for a token that is not accepted."""
    authenticate_scope: Callable[[Any], Any] | None
    """The ``Identity`` that the handshake itself shows, by a session cookie; ``None`` for nobody."""
    authorize: Callable[[str, str, Any], Any]
    """``(user, room, params)``: may that user join that room?"""
    on_message: Callable[[str, str, Any], Any]
    """``(user, room, data)``: the data to store. A send that is repeated comes here again."""
    on_presence: Callable[[str, str, Any], Any]
    """``(user, room, data)``: the object to show there."""
    on_call: Callable[[str, str, Any], Any]
    """``(user, method, data)``: the reply's data."""


# --- end of part 1 ---


class AuthedRooms:
    """The rooms of one endpoint, and the dependency that opens them: ``Depends(rooms)``.

    Give ``authenticate`` for tokens, ``authenticate_scope`` for a session cookie, or both. All hooks may be
    plain or ``async`` functions; ``Hooks`` says what each gets and gives, ``Settings`` what there is to set.
    Without a ``RedisStore`` the rooms live in this process, and end with it.
    """

    def __init__(
        self,
        authenticate: Callable[[str], Any] | None = None,
        *,
        authenticate_scope: Callable[[Any], Any] | None = None,
        authorize: Callable[[str, str, Any], Any] = lambda user, room, params: True,
        on_message: Callable[[str, str, Any], Any] = lambda user, room, data: data,
        on_presence: Callable[[str, str, Any], Any] = lambda user, room, data: data,
        on_call: Callable[[str, str, Any], Any] | None = None,
        store: "Store | None" = None,
        settings: Settings | None = None,
    ):
        self.hooks = Hooks(
            authenticate, authenticate_scope, authorize, on_message, on_presence, on_call or no_method
        )
        self.hub = Hub(store or MemoryStore(), settings or Settings())

    # No `from __future__ import annotations` in this file: FastAPI could not read this one.
    async def __call__(self, websocket: WebSocket) -> "RoomsConnection":
        return RoomsConnection(self, websocket)


class RoomsConnection:
    """One client. ``user`` and ``rooms`` tell who it is and where, once it was welcomed."""

    def __init__(self, rooms: AuthedRooms, websocket: WebSocket):
        self.websocket = websocket
        # uvicorn's, where no middleware hides it.
        server = getattr(getattr(websocket, "_receive", None), "__self__", None)
        self._transport = getattr(server, "transport", None)
        read_little(self._transport)
        self.session = Session(rooms.hub, rooms.hooks, self, websocket.scope)

    @property
    def user(self) -> str | None:
        return self.session.user

    @property
    def rooms(self) -> Collection[str]:
        return self.session.rooms.keys()

    async def serve(self) -> None:
        """Accepts, whatever the token is worth, and comes back when the connection is over."""
        await self.websocket.accept(PROTOCOL if self.session.dial.speaks else None)
        self.session.begin()
        reading = asyncio.ensure_future(self._read())
        reading.add_done_callback(lambda _: self.session.over.set())
        lost = True
        try:
            await self.session.over.wait()
            # After a close of ours the peer answers with its own, if it still can.
            await asyncio.wait({reading}, timeout=5)
            lost = not reading.done() or reading.result()
        finally:
            reading.cancel()
            await self.session.end(lost=lost)

    async def _read(self) -> bool:
        while True:
            message = await self.websocket.receive()
            if message["type"] == "websocket.disconnect":
                return was_lost(message)
            message.pop("bytes", None)
            # Nothing here holds on to the text: it may have to wait, and takes less memory as it waits.
            await self.session.receive(message.pop("text", None))

    def pause(self) -> bool:
        return pause_reading(self._transport)

    def resume(self) -> None:
        resume_reading(self._transport)

    async def send(self, text: str) -> None:
        await self.websocket.send_text(text)

    async def close(self, code: int, reason: str) -> None:
        await self.websocket.close(code, reason)
        if code in CUTTING:
            cut_soon(self._transport)


# --- the same in both modules, part 2: the protocol and the stores ---


class Wire(Protocol):
    """The socket under a session. ``send`` comes back when the peer, or the kernel for it, took the frame.

    While it is paused nothing is read from the peer, where the server lets us say so. ``pause`` tells whether it
    is to be resumed.
    """

    def pause(self) -> bool: ...

    def resume(self) -> None: ...

    async def send(self, text: str) -> None: ...

    async def close(self, code: int, reason: str) -> None: ...


class Closing(Exception):
    """Ends a connection in place of a welcome."""

    def __init__(self, code: int, reason: str):
        super().__init__(reason)
        self.code, self.reason = code, reason


class Budget:
    """What a connection may send: so much in a second, in the long run, and ten seconds' worth at once."""

    SECONDS = 10

    def __init__(self, settings: Settings):
        self._settings = settings
        self._left = [1.0, 1.0]
        """Of its frames and of its bytes, as parts of the most that there may be."""
        self._at = time.monotonic()

    def goes_on(self) -> "Budget":
        """A connection that is dialed anew has what is left, and another one beside it no more than that."""
        budget = Budget(self._settings)
        self._refill()
        budget._left = [max(0.0, left) for left in self._left]
        return budget

    @property
    def is_full(self) -> bool:
        self._refill()
        return min(self._left) >= 1

    def spend(self, size: int) -> bool:
        self._refill()
        rates = (self._settings.frames_per_second, self._settings.bytes_per_second)
        for i, (rate, spent) in enumerate(zip(rates, (1, size), strict=True)):
            if rate is not None:
                self._left[i] -= spent / (rate * self.SECONDS)
        return min(self._left) >= 0

    def _refill(self) -> None:
        now = time.monotonic()
        self._left = [min(1.0, left + (now - self._at) / self.SECONDS) for left in self._left]
        self._at = now


class Signal:
    """``asyncio.Event`` for few who wait, in a tenth of its memory: thousands of connections may wait to be known."""

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: list[asyncio.Future[None]] = []

    def set(self) -> None:
        self._is_set = True
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    def clear(self) -> None:
        self._is_set = False

    async def wait(self) -> None:
        if not self._is_set:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            try:
                await waiting
            finally:
                self._waiting.remove(waiting)


class Session:
    """One connection, from its accepted handshake to its close.

    Three parts work on it: ``receive`` reads frames and answers what needs no waiting, one task carries the
    requests out in their order, one task writes. The queues between them are bounded: who sends too fast is
    read more slowly, and who reads too slowly is closed.
    """

    def __init__(self, hub: "Hub", hooks: Hooks, wire: Wire, scope: Any):
        self.hub, self.settings, self.store, self.hooks, self.wire = hub, hub.settings, hub.store, hooks, wire
        self.scope = scope
        self.dial = Dial.of(scope, hub.settings)
        self.id = secrets.token_hex(16)
        self.client = self.dial.client or secrets.token_hex(16)
        self.user: str | None = None
        self.rooms: dict[str, Member] = {}
        self.leases: dict[str, Lease] = {}
        self.closing: tuple[int, str] | None = None
        self.over = Signal()
        """Nothing more goes out; the transport may end."""
        self._inbox: list[str | bytes] = []
        self._held = 0
        self._came, self._taken = Signal(), Signal()
        self._early = self._asked_for_auth = False
        self.budget = Budget(hub.settings)
        self._calls = 0
        self._allowance, self._allowed_at = 0.0, 0.0
        self._again: dict[str, Again] = {}
        self._outbox: deque[str] = deque()
        self._buffered = 0
        self._to_write, self._drained = Signal(), Signal()
        self._drained.set()
        self._timers: list[asyncio.TimerHandle] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._worker: asyncio.Task[None] | None = None
        self._writer: asyncio.Task[None] | None = None

    # -- what the transport calls --

    def begin(self) -> None:
        """After the handshake was accepted, whatever the token is worth: no close before that arrives."""
        self.hub.start()
        self.hub.sessions.add(self)
        if self.hub.let_wait(self):
            self._worker = self.spawn(self._work())
        else:
            self.close(1013, "too many wait for their welcome")

    async def receive(self, text: str | None) -> None:
        """One frame; ``None`` for a binary one. Comes back when the next one may be read."""
        if not self.closing:
            self._admit(text)
        del text
        await asyncio.sleep(0.005 if self.closing else 0)  # others have to be read, too
        if self._is_full() and not self.closing:
            paused = self.wire.pause()
            while self._is_full() and not self.closing:
                self._taken.clear()
                await self._taken.wait()
            if paused:
                self.wire.resume()

    def _admit(self, text: str | None) -> None:
        most = self.settings.frame_bytes
        raw = b"" if text is None else raw_of(text, max(most, HARD_LIMIT))
        if raw is None or (self.user is None and len(raw) > self.settings.early_bytes):
            self.close(1009, "the frame is far too large")
        elif self.user is None and self._early:
            self.close(4003, "nothing else comes before the welcome")
        elif self.user is not None and not self.budget.spend(len(raw)):
            self.close(4429, "more than this connection may send")
        elif len(raw) > most:
            # Not even parsed: that takes the longer the less it is wanted.
            self._fail(head_of(str(text)), Refused("too-large", f"a frame has at most {most} bytes"))
        elif not self._pong(text or ""):
            # As it came, until its turn: what is made of a frame may take thirty times its size.
            self._early = True
            self._held += len(raw)
            self._inbox.append(raw)
            self._came.set()

    def _is_full(self) -> bool:
        """Of one frame before the welcome; there a second one is read only to refuse it, where the first one had
        to be ``auth``."""
        if self.user is None:
            return not self._asked_for_auth
        return len(self._inbox) >= self.settings.in_flight or self._held > self.settings.inbox_bytes

    def _pong(self, text: str) -> bool:
        """A ping is answered at once, not in its turn."""
        if self.user is None or len(text) > 128 or '"ping"' not in text:
            return False
        frame = read_frame(text)
        if frame["type"] == "ping":
            self.push(dump({"type": "pong", "id": frame["id"]}))
        return frame["type"] == "ping"

    async def _take(self) -> dict[str, Any]:
        while not self._inbox:
            self._came.clear()
            await self._came.wait()
        raw = self._inbox.pop(0)
        self._held -= len(raw)
        self._taken.set()
        # Who does not read the answers gets no further ones.
        await self.drained()
        frame = read_frame(raw if isinstance(raw, str) else raw.decode(), self.settings.rooms_per_join)
        await asyncio.sleep(0)  # what is done with it is a step of its own
        return frame

    async def end(self, *, lost: bool) -> None:
        """The socket has gone. A lost one stays present until its leases end: its client may come back."""
        code = None if self.closing is None else self.closing[0]
        leaves = code == 4403 or (not lost and code in (None, GONE))
        # Also for a task that swallows its cancellation, as one may that waits for Redis.
        self.closing = self.closing or (GONE, "")
        self._detach()
        for task in self._tasks:
            task.cancel()
        self.hub.sessions.discard(self)
        self.hub.waiting.pop(self, None)
        self.over.set()
        leases = list(self.leases.values())
        self.leases.clear()
        if leaves:
            await self._hide(leases)

    # -- what the hub calls --

    @property
    def waits_for_auth(self) -> bool:
        return self._asked_for_auth and not self._early

    @property
    def full(self) -> bool:
        return self._buffered > self.settings.buffer_bytes

    def push(self, text: str) -> None:
        if self.closing:
            return
        if self._buffered > 2 * self.settings.buffer_bytes + BATCH_BYTES:
            # Only answers get here, to a client that asks without reading; messages wait in the store. What is
            # written now does not count: an answer that is large is not its reader's fault.
            self._abort(1013, "reads too slowly")
            return
        self._outbox.append(text)
        self._buffered += utf8_length(text)
        if self.full:
            self._drained.clear()
        self._wake_writer()

    async def drained(self) -> None:
        await self._drained.wait()

    def close(self, code: int, reason: str) -> None:
        """After what waits to be sent. The rooms are left at once; presence stays for the client's return."""
        if self.closing:
            return
        self._detach()
        self.closing = (code, reason)
        self._wake_writer()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- writing --

    def _wake_writer(self) -> None:
        self._to_write.set()
        if self._writer is None:
            self._writer = self.spawn(self._write())

    async def _write(self) -> None:
        try:
            while True:
                while self._outbox:
                    text = self._outbox.popleft()
                    async with asyncio.timeout(self.settings.stall_ms / 1000):
                        await self.wire.send(text)
                    self._buffered -= utf8_length(text)
                    if self._buffered <= self.settings.buffer_bytes // 2:
                        self._drained.set()
                    if self._outbox:
                        await asyncio.sleep(0)  # others have to write, too
                if self.closing:
                    break
                self._to_write.clear()
                await self._to_write.wait()
            await self._close_wire()
        except TimeoutError:
            self._abort(1013, "reads too slowly")
        except Exception as error:
            # The peer has gone; each server has its own exception for that. Its disconnect follows.
            log.debug("send failed: %s", type(error).__name__)
            self.close(GONE, "")
            self.over.set()

    def _abort(self, code: int, reason: str) -> None:
        """Drops what waits; the close itself may not come through either."""
        self._outbox.clear()
        self._buffered = 0
        self.close(code, reason)
        if self._writer is not None and self._writer is not asyncio.current_task():
            self._writer.cancel()
        self.spawn(self._close_wire())

    async def _close_wire(self) -> None:
        code, reason = self.closing or (1000, "")
        # daphne sends only 1000 and codes from 3000, and raises for any other.
        for sendable in () if code == GONE else (code, 1000):
            try:
                async with asyncio.timeout(5):
                    await self.wire.close(sendable, reason)
                break
            except Exception as error:
                log.debug("close failed: %s", type(error).__name__)
        self.over.set()

    def _detach(self) -> None:
        for timer in self._timers:
            timer.cancel()
        for name in list(self.rooms):
            self.hub.leave(self, name)
        if self._worker is not None and self._worker is not asyncio.current_task():
            self._worker.cancel()
        self._inbox.clear()
        self._taken.set()

    # -- carrying out --

    async def _work(self) -> None:
        try:
            await self._welcome(await self._identify())
        except Closing as closing:
            self.close(closing.code, closing.reason)
        except Banned:
            self.close(4403, "not allowed here")
        except StoreUnavailable:
            self.close(1013, "the store does not answer")
        except Exception:
            log.exception("no welcome")
            self.close(1011, "the server failed")
        finally:
            self.hub.waiting.pop(self, None)
        names = self.dial.rooms
        if sum(len(name.encode()) for name in names) > 1024:
            for name in names:
                self._fail({"room": name}, Refused("too-large", "rooms in a URL have at most 1,024 bytes"))
        elif names and not self.closing:
            await self._answer({"type": "join", "rooms": [{"room": name} for name in names]})
        while not self.closing:
            await self._answer(await self._take())

    async def _identify(self) -> Identity:
        dial, hooks = self.dial, self.hooks
        if not dial.speaks:
            raise Closing(1002, f"offer the subprotocol {PROTOCOL}")
        if len(dial.tokens) > 1:
            raise Closing(4003, "more than one token")
        identity: Identity | None = None
        by_cookie = dial.by_cookie
        if dial.tokens:
            identity = await self._authenticate(dial.tokens[0])
        elif hooks.authenticate_scope is not None:
            identity = await self._ask(hooks.authenticate_scope, self.scope)
            by_cookie = identity is not None
        if by_cookie and not dial.same_origin:
            # Browsers let any page open a WebSocket with the cookies of another site.
            raise Closing(4403, "this origin may not use the cookie")
        if identity is None and not dial.tokens and hooks.authenticate is not None:
            identity = await self._authenticate(await self._first_message())
        if identity is None:
            raise Closing(4003, "not signed in, or the token is not accepted")
        return identity

    async def _first_message(self) -> str:
        self._asked_for_auth = True
        self._taken.set()
        try:
            async with asyncio.timeout(self.settings.auth_ms / 1000):
                frame = await self._take()
        except TimeoutError:
            raise Closing(4003, "no token in time") from None
        if frame["type"] != "auth":
            raise Closing(4003, "the first frame is auth")
        return str(frame["token"])

    async def _authenticate(self, token: str) -> Identity | None:
        if self.hooks.authenticate is None or not utf8_length(token):
            return None
        return await self._ask(self.hooks.authenticate, token)

    async def _ask(self, hook: Callable[[Any], Any], credential: Any) -> Identity | None:
        """``None`` also for what has expired already."""
        try:
            async with asyncio.timeout(self.settings.verify_ms / 1000):
                identity: Identity | None = await result_of(hook(credential))
        except Banned:
            raise
        except TimeoutError:
            log.error("authentication took too long")
            raise Closing(1013, "authentication takes too long") from None
        except Exception as error:
            # Not its text, which may hold the token.
            log.error("authentication failed by %s", type(error).__name__)
            raise Closing(1011, "authentication failed") from None
        if identity is None or (identity.expires_at is not None and identity.expires_at <= time.time()):
            return None
        return identity

    async def _welcome(self, identity: Identity) -> None:
        if self.dial.number is not None:
            await self.store.fence([(identity.user, self.client, self.dial.number)])
        if self.hub.draining:
            raise Closing(1012, "restarting")
        if self.closing:
            return
        s = self.settings
        frame = {
            "type": "welcome",
            "version": 1,
            "user": identity.user,
            "session": self.id,
            "limits": {
                "frameBytes": s.frame_bytes,
                "roomsPerJoin": s.rooms_per_join,
                "rooms": s.rooms,
                "inFlight": s.in_flight,
                "history": s.history,
                "presenceBytes": s.presence_bytes,
                **told("framesPerSecond", s.frames_per_second),
                **told("bytesPerSecond", s.bytes_per_second),
            },
            "heartbeatMs": s.heartbeat_ms,
            "resumeWindowMs": s.resume_window_ms,
            "features": ["auth"] * (self.hooks.authenticate is not None)
            + ["call", "history", "join-in-url", "presence"],
        }
        self.push(dump(frame | self._expires(identity)))
        self.user = identity.user
        self.budget = self.hub.budget_of(identity.user)
        self._taken.set()

    def _expires(self, identity: Identity) -> dict[str, int]:
        """Sets the end of this connection; answers the member that tells it."""
        for timer in self._timers:
            timer.cancel()
        if identity.expires_at is None:
            return {}
        left = max(0.0, identity.expires_at - time.time())
        ahead = min(self.settings.expiring_ms / 1000, left / 2)
        later = asyncio.get_running_loop().call_later
        self._timers = [later(left, self._expire)]
        if ahead > 0:
            expiring = dump({"type": "expiring", "inMs": int(ahead * 1000)})
            self._timers.append(later(left - ahead, self.push, expiring))
        return {"expiresInMs": int(left * 1000)}

    def _expire(self) -> None:
        if self.settings.close_at_expiry:
            self.close(4003, "token expired")

    def _limit_rate(self) -> None:
        rate, now = self.settings.sends_per_second, time.monotonic()
        if rate is not None:
            self._allowance = min(max(rate, 1.0), self._allowance + (now - self._allowed_at) * rate)
            self._allowed_at = now
            if self._allowance < 1:
                wait = int((1 - self._allowance) / rate * 1000) + 1
                raise Refused("rate-limited", "too many requests", wait)
            self._allowance -= 1

    def _turn_of(self, frame: dict[str, Any]) -> None:
        """Who was told to come again has later sends on their way: they must not be stored before it."""
        again, n = self._again.get(frame["room"]), frame["n"]
        if again is None or again.epoch != frame["epoch"]:
            return
        if again.holds(n):
            wait = int((again.at - time.monotonic()) * 1000)
            raise Refused("rate-limited", "an earlier send comes first", max(1, wait))
        again.settle(n)
        if not again.sends:
            del self._again[frame["room"]]

    def _comes_again(self, frame: dict[str, Any], wait: int) -> int:
        """In how many ms: no sooner than those before it."""
        now, again = time.monotonic(), self._again.get(frame["room"])
        if again is None or again.epoch != frame["epoch"]:
            again = self._again[frame["room"]] = Again(frame["epoch"])
        # Those that a client still means are the last that it was told of.
        again.tell(frame["n"], now + wait / 1000, most=2 * self.settings.in_flight)
        return max(wait, int((again.at - now) * 1000))

    async def _answer(self, frame: dict[str, Any]) -> None:
        try:
            await self._carry_out(frame)
        except Refused as refusal:
            self._fail(frame, refusal)
        except StoreUnavailable:
            self._fail(frame, refused("unavailable", 1000))
        except Banned:
            self.close(4403, "not allowed here")
        except Exception:
            log.exception("%s failed", frame["type"])
            self._fail(frame, Refused("forbidden", "the server failed at this request"))

    async def _carry_out(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "join":
                await self._join(frame.get("id"), frame["rooms"])
            case "send":
                self._limit_rate()
                seq = await self._send(frame)
                self.push(dump({"type": "ok", "id": frame["id"], "seq": seq}))
            case "leave":
                await self._leave(frame)
            case "call":
                if self._calls >= self.settings.in_flight:
                    raise Refused("rate-limited", "too many unanswered calls", 100)
                self._calls += 1
                # Begun in order; the next request does not wait for its end.
                self.spawn(self._answer(frame | {"type": "called"}))
            case "called":
                try:
                    reply = await result_of(
                        self.hooks.on_call(str(self.user), frame["method"], frame.get("data"))
                    )
                finally:
                    self._calls -= 1
                text = dump({"type": "reply", "id": frame["id"], "data": reply})
                if utf8_length(text) > ANSWER_BYTES:
                    raise Refused("too-large", "the reply is too large")
                self.push(text)
            case "history":
                await self._history(frame)
            case "auth":
                await self._renew(frame)
            case "ping":
                self.push(dump({"type": "pong", "id": frame["id"]}))
            case _:
                raise frame["refusal"]

    def _fail(self, frame: dict[str, Any], refusal: Refused) -> None:
        wait = {} if refusal.retry_after_ms is None else {"retryAfterMs": refusal.retry_after_ms}
        # Nobody repeats a volatile send.
        if wait and frame.get("type") == "send" and not frame.get("volatile") and frame["room"] in self.rooms:
            wait["retryAfterMs"] = self._comes_again(frame, wait["retryAfterMs"])
        self.push(
            dump({"type": "error", **about(frame), "code": refusal.code, "message": refusal.message, **wait})
        )

    async def _renew(self, frame: dict[str, Any]) -> None:
        try:
            identity = await self._authenticate(frame["token"])
        except Closing:
            raise refused("unavailable", 1000) from None
        if identity is None:
            raise Refused("token-refused", "this token is not accepted")
        if identity.user != self.user:
            raise Refused("other-user", "this token names another user")
        self.push(dump({"type": "ok", "id": frame["id"], **self._expires(identity)}))

    async def _send(self, frame: dict[str, Any]) -> int:
        if frame["room"] not in self.rooms:
            raise Refused("not-joined", "join the room before you send to it")
        if self.dial.client not in (None, frame["clientId"]):
            raise Refused("bad-frame", '"clientId" is not the "client" of this connection')
        self._turn_of(frame)
        user = str(self.user)
        draft = Draft(frame["room"], frame["epoch"], user, frame["clientId"], frame["n"], self.dial.number)
        try:
            data = await result_of(self.hooks.on_message(user, frame["room"], frame["data"]))
        except Refused:
            # What was stored when it was allowed is stored: a repetition must not be told otherwise.
            seq = await self.store.number_of(draft)
            if seq is None:
                raise
            return seq
        text = dump(data)
        if utf8_length(text) > BATCH_BYTES:
            raise Refused("too-large", "the message is too large")
        return await self.store.send(draft, text)

    async def _history(self, frame: dict[str, Any]) -> None:
        if frame["room"] not in self.rooms:
            raise Refused("not-joined", "join the room before you read it")
        self._limit_rate()
        if frame["limit"] > self.settings.history:
            raise Refused("too-large", f"a history has at most {self.settings.history} messages")
        epoch, messages, more = await self.store.history(frame["room"], frame.get("before"), frame["limit"])
        head = {"type": "history", "id": frame["id"], "room": frame["room"], "epoch": epoch, "more": more}
        self.push(dump(head)[:-1] + f',"messages":[{",".join(text for _, text in messages)}]}}')

    async def _leave(self, frame: dict[str, Any]) -> None:
        if not self.hub.leave(self, frame["room"]):
            raise Refused("not-joined", "this connection is not in that room")
        self._again.pop(frame["room"], None)
        if frame["room"] in self.leases:
            await self._hide([self.leases.pop(frame["room"])])
        self.push(dump({"type": "ok", "id": frame["id"]}))

    async def _hide(self, leases: "list[Lease]") -> None:
        # One that cannot be ended now ends by itself.
        with suppress(StoreUnavailable):
            if leases:
                await self.hub.hide(leases)

    async def _join(self, id: int | None, wanted: list[dict[str, Any]]) -> None:
        asked = {} if id is None else {"id": id}
        allowed: list[dict[str, Any]] = []
        leases: dict[str, Lease] = {}
        for want in wanted:
            try:
                await self._may_join(want, len(allowed))
                if "presence" in want:
                    leases[want["room"]] = await self._lease(want)
                allowed.append(want)
            except Refused as refusal:
                self._fail(asked | {"room": want["room"]}, refusal)
        try:
            shown = dict(zip(leases, await self.store.show(list(leases.values())), strict=True))
            for room in [room for room, found in shown.items() if found is None]:
                self._fail(asked | {"room": room}, Refused("too-large", "this room shows no more"))
                allowed = [want for want in allowed if want["room"] != room]
                del leases[room]
            resumes = [(w["room"], w.get("resume", NO_RESUME)) for w in allowed]
            reads = [Read(room, resume["epoch"], resume["seq"]) for room, resume in resumes]
            positions = await self.hub.positions(reads)
        except StoreUnavailable:
            for want in allowed:
                self._fail(asked | {"room": want["room"]}, refused("unavailable", 1000))
            return
        if self.closing:
            return
        # From here on without waiting, so that no message comes between the answer and the membership.
        self.leases |= leases
        # Joined again without presence.
        over = [
            self.leases.pop(w["room"]) for w in allowed if w["room"] in self.leases.keys() - leases.keys()
        ]
        for want, position in zip(allowed, positions, strict=True):
            self._enter(asked, want, position, shown.get(want["room"]))
        await self._hide(over)

    async def _may_join(self, want: dict[str, Any], others: int) -> None:
        room = want["room"]
        if room in self.rooms:
            self._limit_rate()
        elif len(self.rooms) + others >= self.settings.rooms:
            raise Refused("too-large", f"a connection is in at most {self.settings.rooms} rooms")
        try:
            may = await result_of(self.hooks.authorize(str(self.user), room, want.get("params", {})))
        except (Refused, Banned):
            raise
        except Exception:
            log.exception("authorize failed")
            raise refused("unavailable", 1000) from None
        if not may:
            raise Refused("forbidden", "this room is closed to you")

    async def _lease(self, want: dict[str, Any]) -> "Lease":
        room, user = want["room"], str(self.user)
        try:
            data = dump(await result_of(self.hooks.on_presence(user, room, want["presence"])))
        except (Refused, Banned):
            raise
        except Exception:
            log.exception("on_presence failed")
            raise refused("unavailable", 1000) from None
        if utf8_length(data) > self.settings.presence_bytes:
            raise Refused("too-large", f"presence has at most {self.settings.presence_bytes} bytes")
        return Lease(room, self.id, self.client, user, data)

    def _enter(
        self, asked: dict[str, int], want: dict[str, Any], position: "Position", shown: "Shown | None"
    ) -> None:
        room, resume = want["room"], want.get("resume")
        before = self.rooms.get(room)
        recovered, seq = False, position.seq
        if resume is not None:
            oldest = position.first - 1
            recovered = resume["epoch"] == position.epoch and oldest <= resume["seq"] <= position.seq
        if resume is not None and recovered:
            seq = position.messages[-1][0] if position.messages else resume["seq"]
        elif before is not None and (resume is None or resume["epoch"] != before.room.epoch):
            # Joined already: what comes next must follow what came before.
            seq = before.seq
        missed = [text for _, text in position.messages] if recovered else None
        self.push(joined_frame(asked, room, position.epoch, seq, recovered, missed, shown))
        self.hub.enter(self, room, position, seq, shown)


class Member:
    """A connection in a room, and how far it was told."""

    def __init__(self, session: Session, room: "Room"):
        self.session, self.room = session, room
        self.seq = 0
        self.version: int | None = None
        """Of presence; ``None`` for those who do not watch it."""
        self.live = False
        """Has what the room's pump has read. Who has not is followed up on its own."""
        self.following = False

    @property
    def is_there(self) -> bool:
        return self.room.members.get(self.session) is self


class Room:
    """A room as this process knows it: as long as it has members here."""

    def __init__(self, name: str, epoch: str, seq: int):
        self.name, self.epoch, self.seq = name, epoch, seq
        self.members: dict[Session, Member] = {}
        self.stale = False
        self.pump: asyncio.Task[None] | None = None
        self.reading = asyncio.Lock()
        """One read at a time, so that none brings back an epoch that a later one has left."""


class Hub:
    """The rooms of this process.

    The store holds the truth. Here is only who listens, and how far each was told: whatever wakes a room, by
    pub/sub or by the clock, makes it read what lies behind that. So a lost wake delays, and loses nothing.
    """

    def __init__(self, store: "Store", settings: Settings):
        self.store, self.settings = store, settings
        self.sessions: set[Session] = set()
        self.waiting: dict[Session, None] = {}
        """For their welcome, the oldest first."""
        self._budgets: dict[str, Budget] = {}
        """The last one of each user, until it is full again: who dials anew goes on with it."""
        self.rooms: dict[str, Room] = {}
        self.draining = False
        self._presence = asyncio.Lock()
        self._missed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        if self._tasks:
            return
        self.store.start(self.settings, self.wake)
        self._spawn(self._beat())
        self._drain_on_sigterm()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def let_wait(self, session: Session) -> bool:
        """Whether there is room; where not, the oldest that has shown no token makes some."""
        if len(self.waiting) >= self.settings.waiting:
            silent = next((s for s in self.waiting if s.waits_for_auth), None)
            if silent is None:
                return False
            silent.close(1013, "too many wait for their welcome")
            del self.waiting[silent]
        self.waiting[session] = None
        return True

    def budget_of(self, user: str) -> "Budget":
        if len(self._budgets) > 1_000:
            self._budgets = {who: budget for who, budget in self._budgets.items() if not budget.is_full}
        before = self._budgets.get(user)
        budget = self._budgets[user] = Budget(self.settings) if before is None else before.goes_on()
        return budget

    # -- membership --

    def enter(
        self, session: Session, name: str, position: "Position", seq: int, shown: "Shown | None"
    ) -> None:
        room = self.rooms.get(name)
        if room is None:
            room = self.rooms[name] = Room(name, position.epoch, position.seq)
        member = room.members.get(session)
        if member is None:
            member = room.members[session] = session.rooms[name] = Member(session, room)
        member.seq = seq
        member.version = None if shown is None else shown.version
        member.live = seq >= room.seq
        if not member.live:
            self._fall_behind(member)
        if position.seq > room.seq or (shown is not None and shown.version != position.version):
            self.wake(name)

    def leave(self, session: Session, name: str) -> bool:
        member = session.rooms.pop(name, None)
        if member is None:
            return False
        del member.room.members[session]
        if not member.room.members:
            del self.rooms[name]
        return True

    async def hide(self, leases: "list[Lease]") -> None:
        # A renewal that was on its way must not bring the lease back.
        async with self._presence:
            await self.store.hide(leases)

    async def positions(self, reads: "list[Read]") -> "list[Position]":
        """As the store has them, and this process knows their epochs."""
        for _ in range(3):
            positions = await self.store.positions(reads)
            pairs = [(self.rooms.get(read.room), p) for read, p in zip(reads, positions, strict=True)]
            odd = [room for room, position in pairs if room is not None and room.epoch != position.epoch]
            if not odd:
                return positions
            for room in odd:
                await self._advance(room)
        raise StoreUnavailable("rooms count anew all the time")

    # -- delivery --

    def wake(self, name: str | None) -> None:
        """Something happened in that room; ``None``: wakes may have been missed."""
        if name is None:
            self._missed.set()
            return
        room = self.rooms.get(name)
        if room is not None:
            room.stale = True
            if room.pump is None:
                room.pump = self._spawn(self._pump(room))

    async def _pump(self, room: Room) -> None:
        try:
            while room.stale and room.members:
                room.stale = False
                await self._advance(room)
        except StoreUnavailable:
            pass  # the beat looks again
        finally:
            room.pump = None

    async def _advance(self, room: Room) -> None:
        """Reads what lies behind the room's position, and gives it to its members."""
        async with room.reading:
            (position,) = await self.store.positions([Read(room.name, room.epoch, room.seq)])
            if position.epoch != room.epoch or position.first > room.seq + 1:
                await self._restart(room, position)
            for seq, text in position.messages:
                self._deliver(room, seq, text)
            if position.messages and room.seq < position.seq:
                self.wake(room.name)
            await self._tell_presence(room, position)

    def _deliver(self, room: Room, seq: int, text: str) -> None:
        if seq <= room.seq:
            return
        room.seq = seq
        frame = message_frame(room.name, text)
        for member in list(room.members.values()):
            if not member.live or member.seq >= seq:
                continue
            if member.session.full:
                self._fall_behind(member)
            else:
                member.session.push(frame)
                member.seq = seq

    async def _restart(self, room: Room, position: "Position") -> None:
        """Says that the room goes on elsewhere: it counts anew, or the window ended before all were told.

        By a ``joined`` that nobody asked for, with ``recovered: false``. Never by silence: members would take
        what comes next for what they have.
        """
        leases = [lease for s in room.members if (lease := s.leases.get(room.name)) is not None]
        shown: Shown | None = None
        if leases:
            async with self._presence:
                await self.store.renew(leases)
                (shown,) = await self.store.show(leases[-1:])
        counts_anew = room.epoch != position.epoch
        room.epoch, room.seq = position.epoch, position.first - 1
        for session, member in list(room.members.items()):
            if member.seq >= room.seq and not counts_anew:
                continue
            watched = shown if member.version is not None else None
            session.push(joined_frame({}, room.name, room.epoch, room.seq, False, None, watched))
            member.seq, member.live = room.seq, True
            member.version = None if watched is None else watched.version

    async def _tell_presence(self, room: Room, position: "Position") -> None:
        watchers = [
            m
            for m in room.members.values()
            # Who reads slowly is told later, or sees the hole.
            if m.version is not None and m.version < position.version and not m.session.full
        ]
        if not watchers:
            return
        oldest = min(m.version for m in watchers if m.version is not None)
        for version, text in await self.store.changes(room.name, oldest):
            frame = f'{{"type":"presence","room":{dump(room.name)},"version":{version},{text}}}'
            for member in watchers:
                # Who has missed a version sees the hole, and joins again for the members.
                if member.version is not None and member.version < version and member.is_there:
                    member.session.push(frame)
                    member.version = version

    def _fall_behind(self, member: Member) -> None:
        member.live = False
        if not member.following:
            member.following = True
            member.session.spawn(self._follow(member))

    async def _follow(self, member: Member) -> None:
        """Brings one member up to its room from the store, as fast as its connection takes it."""
        try:
            while not member.live and member.is_there:
                await member.session.drained()
                try:
                    await self._follow_up(member)
                except StoreUnavailable:
                    await asyncio.sleep(0.5)
        except Exception:
            # Better no connection than one that has fallen silent.
            log.exception("following up failed")
            member.session.close(1011, "the server failed")
        finally:
            member.following = False

    async def _follow_up(self, member: Member) -> None:
        room, epoch, after = member.room, member.room.epoch, member.seq
        (position,) = await self.store.positions([Read(room.name, epoch, after)])
        if (epoch, after) != (room.epoch, member.seq) or not member.is_there:
            return
        if position.epoch != epoch:
            self.wake(room.name)
            await asyncio.sleep(0.05)  # it tells all members
            return
        if position.first > after + 1:
            member.seq = position.first - 1
            member.session.push(joined_frame({}, room.name, epoch, member.seq, False, None, None))
        for seq, text in position.messages:
            if member.session.full:
                break
            member.session.push(message_frame(room.name, text))
            member.seq = seq
        member.live = member.seq >= room.seq
        if member.seq == after:
            await asyncio.sleep(0.05)  # nothing there yet, or no room for it

    # -- the clock --

    async def _beat(self) -> None:
        renewed = caught_up = time.monotonic()
        complained = False
        while True:
            missed = True
            try:
                async with asyncio.timeout(0.25):
                    await self._missed.wait()
            except TimeoutError:
                missed = False
            self._missed.clear()
            now = time.monotonic()
            try:
                if missed or now - caught_up >= self.settings.catch_up_ms / 1000:
                    caught_up = now
                    await self._catch_up()
                if now - renewed >= min(self.settings.renew_ms, self.settings.lease_ms / 3) / 1000:
                    renewed = now
                    await self._renew()
                complained = False
            except StoreUnavailable as error:
                if not complained:
                    log.warning("the store does not answer: %s", error)
                complained = True
            except Exception:
                log.exception("the beat failed")

    async def _catch_up(self) -> None:
        for names in chunks(list(self.rooms)):
            for name, position in zip(
                names, await self.store.positions([Read(n) for n in names]), strict=True
            ):
                room = self.rooms.get(name)
                if room is None:
                    continue
                behind = any(m.version not in (None, position.version) for m in room.members.values())
                if behind or (position.epoch, position.seq) != (room.epoch, room.seq):
                    self.wake(name)

    async def _renew(self) -> None:
        dials = [(s.user, s.client, s.dial.number) for s in self.sessions if s.user and s.dial.number]
        for fences in chunks(dials):
            await self.store.fence(fences)
        shown = [(session, name) for session in self.sessions for name in session.leases]
        for part in chunks(shown):
            async with self._presence:
                leases = [s.leases[name] for s, name in part if name in s.leases]
                await self.store.renew(leases)

    # -- the end --

    async def drain(self) -> None:
        """Tells everybody to move, and closes after ``drain_ms`` who is still here."""
        self.draining = True
        frame = dump({"type": "drain", "withinMs": self.settings.drain_ms})
        for session in list(self.sessions):
            if session.user is not None:
                session.push(frame)
        await self._empty(self.settings.drain_ms / 1000)
        for session in list(self.sessions):
            session.close(1012, "restarting")
        await self._empty(1)

    async def _empty(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self.sessions and time.monotonic() < until:
            await asyncio.sleep(0.02)

    def _drain_on_sigterm(self) -> None:
        """Before the server's own handler, which closes sockets without a word of warning."""
        if self.settings.drain_ms == 0 or threading.current_thread() is not threading.main_thread():
            return
        loop, previous = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM) or signal.SIG_DFL

        async def leave() -> None:
            await self.drain()
            signal.raise_signal(signal.SIGTERM)

        def on_term(number: int, frame: Any) -> None:
            # A second SIGTERM does not wait.
            signal.signal(signal.SIGTERM, previous)
            loop.call_soon_threadsafe(lambda: self._spawn(leave()))

        signal.signal(signal.SIGTERM, on_term)


def refused(code: str, wait_ms: int | None = None) -> Refused:
    """The refusals of the stores. Made anew each time: an exception keeps the stacks that it went through."""
    messages = {
        "unavailable": "the rooms cannot be reached now",
        "superseded": "a later connection of this client exists",
        "stale-epoch": "the room counts anew",
        "rate-limited": "the room remembers no more messages now",
    }
    return Refused(code, messages[code], wait_ms)


def told(name: str, limit: float | None) -> dict[str, int]:
    return {} if limit is None else {name: int(limit)}


def no_method(user: str, method: str, data: Any) -> Any:
    raise Refused("unknown-method", "this server has no such method")


def was_lost(disconnect: Any) -> bool:
    """Whether no close frame came before a ``websocket.disconnect``. uvicorn says 1005 and no reason then."""
    code = disconnect.get("code", 1005)
    return code == GONE or (code == 1005 and disconnect.get("reason") is None)


def pause_reading(transport: Any) -> bool:
    # A server that has paused it resumes it by itself.
    is_reading = getattr(transport, "is_reading", lambda: True)()
    if is_reading:
        do_either(transport, "pause_reading", "pauseProducing")
    return bool(is_reading)


def resume_reading(transport: Any) -> None:
    do_either(transport, "resume_reading", "resumeProducing")


def do_either(transport: Any, of_asyncio: str, of_twisted: str) -> None:
    do = getattr(transport, of_asyncio, None) or getattr(transport, of_twisted, None)
    if do is not None:
        do()


def cut_soon(transport: Any) -> None:
    """What a peer goes on to send is not even unpacked, and its connection is cut when it must have read why."""
    pause_reading(transport)
    later = asyncio.get_running_loop().call_later
    later(CUT_SECONDS, do_either, transport, "abort", "abortConnection")


def read_little(transport: Any) -> None:
    """Servers parse all that they have read in one go: a quarter of a megabyte may be many small frames, or a
    few that are unpacked to megabytes each. Without a public way to say so, for asyncio and Twisted."""
    for name in ("max_size", "bufferSize"):
        if hasattr(transport, name):
            setattr(transport, name, READ_BYTES)


# -- frames --

NO_RESUME: dict[str, Any] = {"epoch": None, "seq": 0}
MAX_COUNT = 2**53 - 1
GONE = 1006
"""No close frame reached the peer, or came from it."""
HARD_LIMIT = 1_048_576
"""A longer frame is not even read for its ``id``: 1009."""
BATCH_BYTES = 262_144
"""Of the messages in one frame: daphne resets a connection over a frame above 1 MiB."""
ANSWER_BYTES = 786_432
BATCH = 100
READ_BYTES = 4_096
CUTTING = (1009, 4429)
"""Who is closed with these has sent too much, and may go on."""
CUT_SECONDS = 2


def is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_COUNT


def is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def is_client_id(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{32}", value) is not None


def utf8_length(text: str) -> int:
    """0 also for what has no UTF-8: half of a surrogate pair."""
    try:
        return len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        return 0


def raw_of(text: str, most: int) -> str | bytes | None:
    """The text in no more memory than its bytes take; ``None`` for more of them than that."""
    if len(text) > most:
        return None
    raw = text if text.isascii() else text.encode("utf-8", "replace")
    return raw if len(raw) <= most else None


def is_room(value: Any) -> bool:
    return isinstance(value, str) and 1 <= utf8_length(value) <= 256


def is_object(value: Any) -> bool:
    return isinstance(value, dict)


def is_resume(value: Any) -> bool:
    return isinstance(value, dict) and is_text(value.get("epoch")) and is_count(value.get("seq"))


def is_rooms(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    may = {"params": is_object, "presence": is_object, "resume": is_resume}
    names = [
        entry["room"]
        for entry in value
        if isinstance(entry, dict)
        and is_room(entry.get("room"))
        and all(check(entry[name]) for name, check in may.items() if name in entry)
    ]
    return len(names) == len(value) == len(set(names))


Checks = dict[str, Callable[[Any], bool]]
ANYTHING: Callable[[Any], bool] = lambda value: True  # noqa: E731
FRAMES: dict[str, tuple[Checks, Checks]] = {
    "auth": ({"token": is_text}, {}),
    "join": ({"rooms": is_rooms}, {}),
    "leave": ({"room": is_room}, {}),
    "send": (
        {"room": is_room, "epoch": is_text, "clientId": is_client_id, "n": is_count, "data": ANYTHING},
        {"volatile": lambda value: value is True},
    ),
    "call": ({"method": is_text}, {}),
    "history": (
        {"room": is_room, "limit": lambda value: is_count(value) and value > 0},
        {"before": is_count},
    ),
    "ping": ({}, {}),
}
"""The members that each client frame must and may have, besides ``id``."""


def read_frame(text: str, rooms_per_join: int = 0) -> dict[str, Any]:
    """The frame; or ``{"type": "", "refusal": …}`` with ``id`` and ``room`` as far as they can be read."""
    beyond: list[str] = []

    def number(digits: str) -> float:
        # JSON has 1e999, and Python infinity for it, which it would write as no JSON at all.
        if not math.isfinite(value := float(digits)):
            beyond.append(digits)
        return value

    frame: Any = None
    try:
        frame = json.loads(text, parse_float=number, parse_constant=no_json)
    except RecursionError:
        return refused_frame("this is nested too deep", head_of(text))
    except ValueError:
        pass
    if not isinstance(frame, dict) or not isinstance(frame.get("type"), str):
        return refused_frame('a frame is the text of one JSON object with a "type"', {})
    must, may = FRAMES.get(frame["type"], (None, {}))
    if must is None:
        return refused_frame('no such "type"', about(frame))
    rooms = frame.get("rooms")
    if must is FRAMES["join"][0] and isinstance(rooms, list) and len(rooms) > rooms_per_join:
        refusal = Refused("too-large", f"a join has at most {rooms_per_join} rooms")
        return {"type": "", "refusal": refusal, **about(frame)}
    wrong = ["id"] * (not is_count(frame.get("id"))) + beyond[:1]
    wrong += [name for name, check in must.items() if name not in frame or not check(frame[name])]
    wrong += [name for name, check in may.items() if name in frame and not check(frame[name])]
    return refused_frame(f"{wrong[0]} is missing or wrong", about(frame)) if wrong else frame


def refused_frame(why: str, about: dict[str, Any]) -> dict[str, Any]:
    return {"type": "", "refusal": Refused("bad-frame", why), **about}


def about(frame: dict[str, Any]) -> dict[str, Any]:
    """What an answer repeats of its request."""
    return {k: frame[k] for k, check in (("id", is_count), ("room", is_room)) if check(frame.get(k))}


STRING = r'"(?:[^"\\]|\\.)*+"'
# Possessive, so that each character is looked at once: what matched is never given back and tried again.
HEAD = re.compile(rf'"(id|room)"\s*+:\s*+(?:(\d{{1,16}}+)|({STRING}))|{STRING}?|[\[\]{{}}]', re.DOTALL)
LAST_ID = re.compile(r'"id"\s{0,9}+:\s{0,9}+(\d{1,16})\s{0,9}+\}\s{0,9}+\Z')


def head_of(text: str) -> dict[str, Any]:
    """``id`` and ``room`` of a frame that is not parsed, so that its sender is not left without an answer.

    From its first 4,096 characters, and an ``id`` that is its last member.
    """
    found: dict[str, Any] = {}
    depth = 0
    for token in HEAD.finditer(text[:4096]):
        if token[1] and depth == 1:
            with suppress(ValueError):
                found.setdefault(token[1], int(token[2]) if token[2] else json.loads(token[3]))
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
    if "id" not in found and (last := LAST_ID.search(text[-96:])):
        found["id"] = int(last[1])
    return about(found)


def no_json(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def dump(value: Any) -> str:
    """Compact JSON, in UTF-8 where it can be: ``é`` has two bytes and ``\\u00e9`` six.

    Raises ``ValueError`` for what JSON has no words for.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text


def message_frame(room: str, text: str) -> str:
    return f'{{"type":"message","room":{dump(room)},{text[1:]}'


def joined_frame(
    asked: dict[str, int],
    room: str,
    epoch: str,
    seq: int,
    recovered: bool,
    missed: list[str] | None,
    shown: "Shown | None",
) -> str:
    head = {"type": "joined", **asked, "room": room, "epoch": epoch, "seq": seq, "recovered": recovered}
    text = dump(head)[:-1]
    if missed is not None:
        text += f',"messages":[{",".join(missed)}]'
    if shown is not None:
        text += f',"members":[{",".join(shown.members)}],"version":{shown.version}'
    return text + "}"


def member_json(user: str, client: str, data: str | None) -> str:
    head = dump({"user": user, "clientId": client})
    return head if data is None else f'{head[:-1]},"data":{data}}}'


def chunks(items: list[Any]) -> Iterator[list[Any]]:
    return (items[at : at + BATCH] for at in range(0, len(items), BATCH))


async def result_of(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


# -- the handshake --


@dataclass(frozen=True)
class Dial:
    """What a handshake says."""

    speaks: bool
    tokens: list[str]
    by_cookie: bool
    same_origin: bool
    client: str | None
    number: int | None
    rooms: list[str]

    @classmethod
    def of(cls, scope: Any, settings: Settings) -> "Dial":
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), errors="surrogateescape")
        words, tokens = read_subprotocols(scope.get("subprotocols", []))
        tokens += [value for name, value in query if name == "token"]
        scheme, _, credential = headers.get(b"authorization", "").partition(" ")
        if scheme.lower() == "bearer" and credential.strip():
            tokens.append(credential.strip())
        cookie = cookie_of(headers.get(b"cookie", ""), settings.token_cookie)
        # One of each: the last, should a client be so confused.
        said = dict(query)
        client, number = said.get("client"), said.get("connection", "")
        known = is_client_id(client) and re.fullmatch("[1-9][0-9]{0,15}", number) and is_count(int(number))
        names = [value for name, value in query if name == "join" and is_room(value)]
        return cls(
            speaks=PROTOCOL in words,
            tokens=tokens + cookie,
            by_cookie=bool(cookie),
            same_origin=may_come_from(headers, settings.origins),
            client=client if is_client_id(client) else None,
            number=int(number) if known else None,
            rooms=list(dict.fromkeys(names)),
        )


def read_subprotocols(offered: list[str]) -> tuple[list[str], list[str]]:
    """The words that carry no token, and the tokens."""
    bearer = "base64url.bearer.authorization.k8s.io."
    words, tokens = [], []
    rest = iter(offered)
    for word in rest:
        if word == "token":
            tokens += [next(rest, "")]
        elif word.startswith(bearer):
            text = word.removeprefix(bearer)
            try:
                tokens.append(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode())
            except ValueError:
                tokens.append("")
        else:
            words.append(word)
    return words, tokens


def cookie_of(header: str, name: str | None) -> list[str]:
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return [value for key, _, value in pairs if name is not None and key == name and value]


def may_come_from(headers: dict[bytes, str], allowed: Collection[str] | None) -> bool:
    """Only browsers send an Origin, and only they send cookies on behalf of a page."""
    origin = headers.get(b"origin")
    if origin is None:
        return True
    if allowed is not None:
        return origin in allowed
    return origin.partition("://")[2].lower() == headers.get(b"host", "").lower()


# -- stores --


@dataclass
class Again:
    """
    The sends of a room that have to come again, in the order in which they were told, and not before when.

    One that comes after it was told, and later than one before it was, has a client that knew of both: it has
    given up the one before. If the one before was told later, this one may have been on its way.
    """

    epoch: str
    sends: dict[int, None] = field(default_factory=dict)
    at: float = 0

    def holds(self, n: int) -> bool:
        told_later = takewhile(lambda other: other != n, reversed(self.sends))
        return any(other < n for other in told_later)

    def settle(self, n: int) -> None:
        self.sends = {other: None for other in self.sends if other > n}

    def tell(self, n: int, at: float, most: int) -> None:
        self.sends.pop(n, None)
        self.sends[n] = None
        self.at = max(self.at, at)
        if len(self.sends) > most:
            del self.sends[next(iter(self.sends))]


@dataclass(frozen=True)
class Draft:
    """A message before it is numbered. ``connection``: the number of its connection, where it has one."""

    room: str
    epoch: str
    user: str
    client: str
    n: int
    connection: int | None


Numbered = tuple[int, str]
"""A ``seq`` and its message, as JSON without type and room; or a version of presence and its change."""


@dataclass(frozen=True)
class Read:
    """Asks for a room, and for its messages after ``seq``: for all where ``epoch`` is not its epoch now."""

    room: str
    epoch: str | None = None
    seq: int = 0


@dataclass(frozen=True)
class Position:
    """How far a room has counted. ``first``: its oldest message, ``seq + 1`` when it has none any more."""

    epoch: str
    seq: int
    first: int
    version: int
    messages: list[Numbered]


@dataclass(frozen=True)
class Lease:
    """One connection shows its client in one room."""

    room: str
    session: str
    client: str
    user: str
    data: str


@dataclass(frozen=True)
class Shown:
    """Who is shown in a room, each as JSON."""

    version: int
    members: list[str]


class Store(Protocol):
    """What a server remembers. Each method may raise ``StoreUnavailable``, and may then be repeated."""

    def start(self, settings: Settings, wake: Callable[[str | None], None]) -> None: ...

    async def fence(self, connections: list[tuple[str, str, int]]) -> None:
        """``(user, client, number)``: fences off the lower numbers of each."""

    async def send(self, draft: Draft, data: str) -> int:
        """The number of the message, in one step: fence, epoch, repetition, numbering, storing."""

    async def number_of(self, draft: Draft) -> int | None:
        """The number that this message has already."""

    async def positions(self, reads: list[Read]) -> list[Position]:
        """Makes the rooms that do not exist."""

    async def history(
        self, room: str, before: int | None, limit: int
    ) -> tuple[str, list[Numbered], bool]: ...

    async def show(self, leases: list[Lease]) -> list[Shown | None]:
        """``None`` where the room has no place for what it would show."""

    async def renew(self, leases: list[Lease]) -> None:
        """Like ``show``, but keeps the data that another connection of the client may have set since."""

    async def hide(self, leases: list[Lease]) -> None: ...

    async def changes(self, room: str, version: int) -> list[Numbered]: ...


def keeping_ms(settings: Settings) -> int:
    return max(settings.forget_ms, 2 * settings.resume_window_ms, 2 * settings.lease_ms)


def kept_messages(settings: Settings) -> int:
    """With room for one more."""
    return min(settings.keep, settings.room_messages - 1)


def room_shows(settings: Settings) -> int:
    """In bytes. With the messages of one answer they fit into a frame of daphne."""
    return min(settings.presence_room_bytes, 524_288)


class MemoryRoom:
    def __init__(self) -> None:
        self.epoch = secrets.token_hex(8)
        self.seq = self.version = 0
        self.log: dict[int, tuple[int, tuple[str, str, int], str]] = {}
        self.ids: dict[tuple[str, str, int], int] = {}
        self.leases: dict[tuple[str, str, str], float] = {}
        self.shown: dict[tuple[str, str], str] = {}
        self.shown_bytes = 0
        self.changes: deque[Numbered] = deque(maxlen=256)
        self.touched_at = 0.0

    @property
    def first(self) -> int:
        return self.seq - len(self.log) + 1

    def display(self, who: tuple[str, str], data: str | None) -> bool:
        """``None``: no more. Tells whether something was shown before."""
        before = self.shown.pop(who, None)
        self.shown_bytes -= 0 if before is None else utf8_length(member_json(*who, before))
        if data is not None:
            self.shown[who] = data
            self.shown_bytes += utf8_length(member_json(*who, data))
        return before is not None

    def has_place(self, who: tuple[str, str], data: str, settings: Settings) -> bool:
        before = self.shown.get(who)
        grows = utf8_length(member_json(*who, data))
        if before is None and sum(user == who[0] for user, _ in self.shown) >= settings.presence_clients:
            return False
        grows -= 0 if before is None else utf8_length(member_json(*who, before))
        return self.shown_bytes + grows <= room_shows(settings)

    def fitting(self, wanted: range, budget: int, at_least: int) -> list[Numbered]:
        taken: list[Numbered] = []
        for seq in wanted:
            text = self.log[seq][2]
            budget -= utf8_length(text)
            if budget < 0 and len(taken) >= at_least:
                break
            taken.append((seq, text))
        return taken


class MemoryStore:
    """For one process. Its end is the end of all rooms: the next process counts anew."""

    def __init__(self) -> None:
        self._settings = Settings()
        self._wake: Callable[[str | None], None] = lambda room: None
        self._rooms: dict[str, MemoryRoom] = {}
        self._fences: dict[tuple[str, str], tuple[int, float]] = {}
        self._swept_at = 0.0

    def start(self, settings: Settings, wake: Callable[[str | None], None]) -> None:
        self._settings, self._wake = settings, wake

    async def fence(self, connections: list[tuple[str, str, int]]) -> None:
        for user, client, number in connections:
            latest, _ = self._fences.get((user, client), (0, 0.0))
            self._fences[user, client] = max(latest, number), time.monotonic()

    async def send(self, draft: Draft, data: str) -> int:
        now, room = int(time.time() * 1000), self._room(draft.room)
        latest, _ = self._fences.get((draft.user, draft.client), (0, 0.0))
        if draft.connection is not None and latest > draft.connection:
            raise refused("superseded")
        if draft.epoch != room.epoch:
            raise refused("stale-epoch")
        id = (draft.user, draft.client, draft.n)
        if id in room.ids:
            return room.ids[id]
        if len(room.log) >= self._settings.room_messages:
            wait = room.log[room.first][0] + self._settings.resume_window_ms - now
            raise refused("rate-limited", max(100, wait))
        room.seq += 1
        head = {"seq": room.seq, "from": draft.user, "clientId": draft.client, "n": draft.n, "at": now}
        room.log[room.seq] = (now, id, f'{dump(head)[:-1]},"data":{data}}}')
        room.ids[id] = room.seq
        self._wake(draft.room)
        return room.seq

    async def number_of(self, draft: Draft) -> int | None:
        room = self._room(draft.room)
        return room.ids.get((draft.user, draft.client, draft.n)) if room.epoch == draft.epoch else None

    async def positions(self, reads: list[Read]) -> list[Position]:
        budget = BATCH_BYTES
        positions: list[Position] = []
        for read in reads:
            room = self._room(read.room)
            after = read.seq if read.epoch == room.epoch else 0
            start = max(room.first, after + 1) if read.epoch is not None else room.seq + 1
            wanted = range(start, min(start + BATCH, room.seq + 1))
            messages = room.fitting(wanted, budget, at_least=0 if positions else 1)
            budget -= sum(utf8_length(text) for _, text in messages)
            positions.append(Position(room.epoch, room.seq, room.first, room.version, messages))
        return positions

    async def history(self, room: str, before: int | None, limit: int) -> tuple[str, list[Numbered], bool]:
        kept = self._room(room)
        newest = kept.seq if before is None else min(before - 1, kept.seq)
        wanted = range(newest, max(kept.first - 1, newest - limit), -1)
        messages = kept.fitting(wanted, BATCH_BYTES, at_least=1)[::-1]
        return kept.epoch, messages, bool(messages) and messages[0][0] > kept.first

    async def show(self, leases: list[Lease]) -> list[Shown | None]:
        held = self._hold(leases, is_renewal=False)
        return [self._shown(self._room(lease.room)) if lease in held else None for lease in leases]

    def _shown(self, room: MemoryRoom) -> Shown:
        return Shown(room.version, [member_json(*who, data) for who, data in room.shown.items()])

    async def renew(self, leases: list[Lease]) -> None:
        self._hold(leases, is_renewal=True)

    def _hold(self, leases: list[Lease], *, is_renewal: bool) -> list[Lease]:
        joins: dict[str, dict[tuple[str, str], str]] = {lease.room: {} for lease in leases}
        held, now = [], time.monotonic()
        for lease in leases:
            room, who = self._room(lease.room), (lease.user, lease.client)
            changes = who not in room.shown or (not is_renewal and room.shown[who] != lease.data)
            if changes and not room.has_place(who, lease.data, self._settings):
                continue
            held.append(lease)
            room.leases[lease.session, *who] = now + self._settings.lease_ms / 1000
            if changes:
                room.display(who, lease.data)
                joins[lease.room][who] = lease.data
        for name, came in joins.items():
            room = self._room(name)
            self._change(name, room, came, [k for k, ends_at in room.leases.items() if ends_at <= now])
        return held

    async def hide(self, leases: list[Lease]) -> None:
        for lease in leases:
            self._change(lease.room, self._room(lease.room), {}, [(lease.session, lease.user, lease.client)])

    async def changes(self, room: str, version: int) -> list[Numbered]:
        return [change for change in self._room(room).changes if change[0] > version]

    def _change(
        self,
        name: str,
        room: MemoryRoom,
        joins: dict[tuple[str, str], str],
        ended: list[tuple[str, str, str]],
    ) -> None:
        for key in ended:
            room.leases.pop(key, None)
        held = {(user, client) for _, user, client in room.leases}
        leaves = [who for who in {key[1:] for key in ended} - held if room.display(who, None)]
        if not joins and not leaves:
            return
        room.version += 1
        came = ",".join(member_json(*who, data) for who, data in joins.items())
        went = ",".join(member_json(*who, None) for who in leaves)
        room.changes.append((room.version, f'"joins":[{came}],"leaves":[{went}]'))
        self._wake(name)

    def _room(self, name: str) -> MemoryRoom:
        self._sweep()
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = MemoryRoom()
        room.touched_at = time.monotonic()
        ended = time.time() * 1000 - self._settings.resume_window_ms
        while len(room.log) > kept_messages(self._settings) and room.log[room.first][0] < ended:
            del room.ids[room.log.pop(room.first)[1]]
        return room

    def _sweep(self) -> None:
        now = time.monotonic()
        if now - self._swept_at < 10:
            return
        self._swept_at = now
        since = now - keeping_ms(self._settings) / 1000
        self._rooms = {name: room for name, room in self._rooms.items() if room.touched_at > since}
        self._fences = {who: fence for who, fence in self._fences.items() if fence[1] > since}


LUA = """
local RUN = 'RUN_ID'
local fresh, prefix, ttl = ARGV[1], ARGV[2], ARGV[3]
local window, keep, lease_ms = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function text(number) return string.format('%.0f', number) end

-- A room as it is. What another run of this Redis has counted, or what is there in part only, is no
-- counting to go on with: a snapshot from before the last messages would give their numbers again.
local function enter(name)
  local room = {name = name}
  for _, key in ipairs({'meta', 'log', 'ids', 'changes', 'leases', 'holds', 'shown'}) do
    room[key] = prefix .. key .. ':' .. name
  end
  local at = redis.call('HMGET', room.meta, 'run', 'epoch', 'seq', 'version', 'kept')
  local kept = redis.call('XLEN', room.log)
  if at[1] ~= RUN or kept ~= tonumber(at[5]) or kept ~= redis.call('HLEN', room.ids) then
    redis.call('DEL', room.meta, room.log, room.ids, room.changes)
    at, kept = {RUN, fresh, '0', '0'}, 0
    redis.call('HSET', room.meta, 'run', RUN, 'epoch', fresh, 'seq', 0, 'version', 0, 'kept', 0)
  end
  if kept > keep then
    for _, entry in ipairs(redis.call('XRANGE', room.log, '-', '+', 'COUNT', 16)) do
      if kept <= keep or tonumber(entry[2][2]) >= now - window then break end
      redis.call('XDEL', room.log, entry[1])
      redis.call('HDEL', room.ids, entry[2][4])
      kept = kept - 1
    end
    redis.call('HSET', room.meta, 'kept', kept)
  end
  room.epoch, room.seq, room.version, room.kept = at[2], tonumber(at[3]), tonumber(at[4]), kept
  for _, key in ipairs({'meta', 'log', 'ids', 'changes', 'leases', 'holds', 'shown'}) do
    redis.call('PEXPIRE', room[key], ttl)
  end
  return room
end

-- Presence: a lease is session, client and user; the client is shown as long as it holds one. Beside the holds
-- of each stand the bytes of all that is shown, and how many clients of each user are.
local function member(who, data)
  local user, client = cjson.encode(string.sub(who, 33)), string.sub(who, 1, 32)
  local json = '{"user":' .. user .. ',"clientId":"' .. client .. '"'
  return json .. (data and ',"data":' .. data or '') .. '}'
end
local function display(room, who, data)
  local before, user = redis.call('HGET', room.shown, who), 'user:' .. string.sub(who, 33)
  local grows = (data and #member(who, data) or 0) - (before and #member(who, before) or 0)
  local clients = tonumber(redis.call('HGET', room.holds, user) or '0')
  if data then
    local bytes = tonumber(redis.call('HGET', room.holds, 'bytes') or '0')
    if bytes + grows > tonumber(ARGV[11]) or (not before and clients >= tonumber(ARGV[12])) then return false end
    redis.call('HSET', room.shown, who, data)
    if not before then redis.call('HINCRBY', room.holds, user, 1) end
  elseif before then
    redis.call('HDEL', room.shown, who)
    if redis.call('HINCRBY', room.holds, user, -1) <= 0 then redis.call('HDEL', room.holds, user) end
  end
  redis.call('HINCRBY', room.holds, 'bytes', grows)
  return true
end
local function vanish(room, lease, leaves)
  if redis.call('ZREM', room.leases, lease) == 0 then return end
  local who = string.sub(lease, 33)
  if redis.call('HINCRBY', room.holds, who, -1) > 0 then return end
  redis.call('HDEL', room.holds, who)
  display(room, who, nil)
  leaves[#leaves + 1] = who
end
local function change(room, joins, leaves)
  for i, who in ipairs(leaves) do leaves[i] = member(who) end
  if #joins + #leaves == 0 then return end
  room.version = room.version + 1
  redis.call('HSET', room.meta, 'version', room.version)
  local json = '"joins":[' .. table.concat(joins, ',') .. '],"leaves":[' .. table.concat(leaves, ',') .. ']'
  redis.call('XADD', room.changes, 'MAXLEN', 256, text(room.version) .. '-0', 'json', json)
  redis.call('PUBLISH', prefix .. 'wake', room.name)
end
"""

SCRIPTS = {
    "fence": """
local key, latest = prefix .. 'fence:' .. ARGV[7], redis.call('GET', prefix .. 'fence:' .. ARGV[7])
if latest and tonumber(latest) > tonumber(ARGV[8]) then return redis.call('PEXPIRE', key, ttl) end
return redis.call('SET', key, ARGV[8], 'PX', ttl)
""",
    "send": """
local room, epoch, who, n, connection, head, data = enter(ARGV[7]), unpack(ARGV, 8, 13)
local fence = prefix .. 'fence:' .. who
local latest = redis.call('GET', fence)
if connection ~= '' then
  if latest and tonumber(latest) > tonumber(connection) then return {'superseded'} end
  redis.call('SET', fence, connection, 'PX', ttl)
end
if epoch ~= room.epoch then return {'stale-epoch'} end
local id = n .. ' ' .. who
local seen = redis.call('HGET', room.ids, id)
if seen then return {'ok', seen} end
if room.kept >= tonumber(ARGV[14]) then
  local oldest = redis.call('XRANGE', room.log, '-', '+', 'COUNT', 1)[1]
  return {'rate-limited', math.max(100, tonumber(oldest[2][2]) + window - now)}
end
local seq = text(room.seq + 1)
local json = '{"seq":' .. seq .. ',' .. head .. ',"at":' .. text(now) .. ',"data":' .. data .. '}'
redis.call('XADD', room.log, seq .. '-0', 'at', text(now), 'id', id, 'json', json)
redis.call('HSET', room.ids, id, seq)
redis.call('HSET', room.meta, 'seq', seq, 'kept', room.kept + 1)
redis.call('PEXPIRE', room.log, ttl)
redis.call('PEXPIRE', room.ids, ttl)
redis.call('PUBLISH', prefix .. 'wake', room.name)
return {'ok', seq}
""",
    "number_of": """
local room = enter(ARGV[7])
return room.epoch == ARGV[8] and redis.call('HGET', room.ids, ARGV[9])
""",
    "positions": """
local answer, budget = {}, tonumber(ARGV[8])
for i = 9, #ARGV, 3 do
  local room, epoch, after = enter(ARGV[i]), ARGV[i + 1], ARGV[i + 2]
  local messages = {}
  if epoch ~= '' and budget > 0 then
    local from = epoch == room.epoch and '(' .. after .. '-0' or '-'
    for _, entry in ipairs(redis.call('XRANGE', room.log, from, '+', 'COUNT', ARGV[7])) do
      budget = budget - #entry[2][6]
      if budget < 0 and (i > 9 or #messages > 0) then break end
      messages[#messages + 1] = tonumber(string.match(entry[1], '%d+'))
      messages[#messages + 1] = entry[2][6]
    end
  end
  answer[#answer + 1] = {room.epoch, room.seq, room.seq - room.kept + 1, room.version, messages}
end
return answer
""",
    "history": """
local room, from, messages = enter(ARGV[7]), ARGV[8], {}
local budget = tonumber(ARGV[10])
for _, entry in ipairs(redis.call('XREVRANGE', room.log, from, '-', 'COUNT', ARGV[9])) do
  budget = budget - #entry[2][6]
  if budget < 0 and #messages > 0 then break end
  messages[#messages + 1] = tonumber(string.match(entry[1], '%d+'))
  messages[#messages + 1] = entry[2][6]
end
return {room.epoch, room.seq - room.kept + 1, messages}
""",
    "hold": """
local room, lease, data, renewal = enter(ARGV[7]), ARGV[8], ARGV[9], ARGV[10] == '1'
local who, joins, leaves, full = string.sub(lease, 33), {}, {}, false
if redis.call('ZADD', room.leases, now + lease_ms, lease) == 1 then redis.call('HINCRBY', room.holds, who, 1) end
local due = redis.call('ZRANGEBYSCORE', room.leases, '-inf', now, 'LIMIT', 0, 1000)
for _, ended in ipairs(due) do vanish(room, ended, leaves) end
local before = redis.call('HGET', room.shown, who)
if not before or (not renewal and before ~= data) then
  if display(room, who, data) then joins = {member(who, data)} else full = true end
  if full and not before then vanish(room, lease, {}) end
end
change(room, joins, leaves)
for _, key in ipairs({'changes', 'leases', 'holds', 'shown'}) do redis.call('PEXPIRE', room[key], ttl) end
if renewal then return 1 end
if full then return {-1, {}} end
local members, shown = {}, redis.call('HGETALL', room.shown)
for i = 1, #shown, 2 do members[#members + 1] = member(shown[i], shown[i + 1]) end
return {room.version, members}
""",
    "hide": """
local room, leaves = enter(ARGV[7]), {}
vanish(room, ARGV[8], leaves)
change(room, {}, leaves)
return 1
""",
    "changes": """
local room, changes = enter(ARGV[7]), {}
for _, entry in ipairs(redis.call('XRANGE', room.changes, '(' .. ARGV[8] .. '-0', '+')) do
  changes[#changes + 1] = tonumber(string.match(entry[1], '%d+'))
  changes[#changes + 1] = entry[2][2]
end
return changes
""",
}
"""Each runs whole or not at all, and begins with ``LUA``."""


class RedisStore:
    """For any number of processes, on one Redis 7 or later; not on a cluster.

    A room's stream is the truth, pub/sub only wakes. The scripts carry the id of the Redis process for which
    they were loaded: a Redis that was restarted does not know them. What it has read back from disk may lack
    the last messages, so every room gets a new epoch then. Set ``maxmemory-policy noeviction``: a room of
    which keys are missing counts anew as well.
    """

    def __init__(self, url: str, prefix: str = "rooms:"):
        import redis.asyncio as redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from redis.exceptions import ConnectionError, NoScriptError, RedisError

        # No retries of the library's own: between two tries the server may have become another.
        pool = redis.BlockingConnectionPool.from_url(
            url,
            max_connections=16,
            timeout=5,
            socket_timeout=5,
            socket_connect_timeout=5,
            decode_responses=True,
            retry=Retry(NoBackoff(), 0),
        )
        self._redis = redis.Redis(connection_pool=pool)
        self._prefix = prefix
        self._shas: dict[str, str] = {}
        self._settings = Settings()
        self._no_script, self._cut, self._errors = NoScriptError, ConnectionError, (RedisError, OSError)
        self._listener: asyncio.Task[None] | None = None

    def start(self, settings: Settings, wake: Callable[[str | None], None]) -> None:
        self._settings = settings
        self._listener = asyncio.get_running_loop().create_task(self._listen(wake))

    async def _listen(self, wake: Callable[[str | None], None]) -> None:
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(self._prefix + "wake")
                    wake(None)
                    while True:
                        message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=10)
                        if message is not None:
                            wake(message["data"])
            except Exception as error:
                if not isinstance(error, self._errors):
                    log.exception("listening for wakes failed")
                await asyncio.sleep(0.2)

    async def _load(self) -> None:
        # Over one connection: it does not outlive the server that has told its id.
        one = self._redis.client()
        try:
            server = await one.info("server")
            if int(server["redis_version"].split(".")[0]) < 7:
                raise RuntimeError("RedisStore needs Redis 7: older ones may keep scripts over a restart")
            lua = LUA.replace("RUN_ID", server["run_id"])
            self._shas = {name: await one.script_load(lua + text) for name, text in SCRIPTS.items()}
        finally:
            await one.aclose()

    async def _run(self, script: str, *calls: list[Any]) -> list[Any]:
        """Tries again, which no script minds, where the server has become another or was just away."""
        for _ in range(3):
            try:
                if not self._shas:
                    await self._load()
                return await self._run_once(script, calls)
            except self._no_script:
                self._shas = {}
            except self._cut:
                # The idle connections were cut as well.
                await self._redis.connection_pool.disconnect(inuse_connections=False)
            except self._errors as error:
                raise StoreUnavailable(type(error).__name__) from error
        raise StoreUnavailable("Redis is away, or forgets its scripts")

    async def _run_once(self, script: str, calls: tuple[list[Any], ...]) -> list[Any]:
        s = self._settings
        common: list[Any] = [self._prefix, keeping_ms(s), s.resume_window_ms, kept_messages(s), s.lease_ms]
        async with self._redis.pipeline(transaction=False) as pipeline:
            for args in calls:
                pipeline.evalsha(self._shas[script], 0, secrets.token_hex(8), *common, *args)
            return await pipeline.execute()

    async def fence(self, connections: list[tuple[str, str, int]]) -> None:
        await self._run("fence", *([client + user, number] for user, client, number in connections))

    async def send(self, draft: Draft, data: str) -> int:
        head = dump({"from": draft.user, "clientId": draft.client, "n": draft.n})[1:-1]
        number = "" if draft.connection is None else draft.connection
        args = [draft.room, draft.epoch, draft.client + draft.user, draft.n, number, head, data]
        ((outcome, *rest),) = await self._run("send", [*args, self._settings.room_messages])
        if outcome != "ok":
            raise refused(outcome, *rest)
        return int(rest[0])

    async def number_of(self, draft: Draft) -> int | None:
        id = f"{draft.n} {draft.client}{draft.user}"
        (seq,) = await self._run("number_of", [draft.room, draft.epoch, id])
        return None if seq is None else int(seq)

    async def positions(self, reads: list[Read]) -> list[Position]:
        if not reads:
            return []
        asked = [part for read in reads for part in (read.room, read.epoch or "", read.seq)]
        (answers,) = await self._run("positions", [BATCH, BATCH_BYTES, *asked])
        return [Position(epoch, seq, first, version, pairs(m)) for epoch, seq, first, version, m in answers]

    async def history(self, room: str, before: int | None, limit: int) -> tuple[str, list[Numbered], bool]:
        newest = "+" if before is None else f"{max(before - 1, 0)}-0"
        args = [room, newest, limit, BATCH_BYTES]
        ((epoch, first, found),) = await self._run("history", args)
        messages = pairs(found)[::-1]
        return epoch, messages, bool(messages) and messages[0][0] > first

    async def show(self, leases: list[Lease]) -> list[Shown | None]:
        held = await self._hold(leases, 0)
        return [None if version < 0 else Shown(version, members) for version, members in held]

    async def renew(self, leases: list[Lease]) -> None:
        await self._hold(leases, 1)

    async def _hold(self, leases: list[Lease], is_renewal: int) -> list[Any]:
        bounds = [room_shows(self._settings), self._settings.presence_clients]
        calls = [[m.room, m.session + m.client + m.user, m.data, is_renewal, *bounds] for m in leases]
        return await self._run("hold", *calls) if calls else []

    async def hide(self, leases: list[Lease]) -> None:
        await self._run("hide", *([m.room, m.session + m.client + m.user] for m in leases))

    async def changes(self, room: str, version: int) -> list[Numbered]:
        (found,) = await self._run("changes", [room, version])
        return pairs(found)


def pairs(flat: list[Any]) -> list[Numbered]:
    return list(zip(flat[::2], flat[1::2], strict=True))


# --- end of part 2 ---
