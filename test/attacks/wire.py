"""A WebSocket client of a few lines, which does what no library lets one do."""

import base64
import json
import os
import socket
import struct
import zlib
from typing import Any

PROTOCOL = "authed-rooms.v1"


class Closed(Exception):
    def __init__(self, code: int):
        super().__init__(code)
        self.code = code


def frame_of(data: bytes, opcode: int = 1) -> bytes:
    """Masked by zeros, which changes nothing."""
    n = len(data)
    head = bytes([0x80 | opcode])
    if n < 126:
        head += bytes([0x80 | n])
    elif n < 65_536:
        head += bytes([0x80 | 126]) + struct.pack(">H", n)
    else:
        head += bytes([0x80 | 127]) + struct.pack(">Q", n)
    return head + bytes(4) + data


def deflated(data: bytes) -> bytes:
    z = zlib.compressobj(9, zlib.DEFLATED, -12)
    packed = z.compress(data) + z.flush(zlib.Z_FULL_FLUSH)
    return frame_of(packed[:-4], 0x41)


class Line:
    def __init__(self, port: int, token: str | None, *, query: str = "", path: str = "/ws/rooms", deflate: bool = False):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        words = PROTOCOL if token is None else f"{PROTOCOL}, token, {token}"
        extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if deflate else ""
        self.socket.sendall(
            f"GET {path}{query} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Protocol: {words}\r\n{extension}\r\n".encode()
        )
        self._buffer = b""
        self.head = self._until(b"\r\n\r\n").decode()
        if " 101 " not in self.head:
            raise Closed(1006)

    def _until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(end)
        return head

    def _more(self) -> None:
        data = self.socket.recv(1 << 20)
        if not data:
            raise Closed(1006)
        self._buffer += data

    def _take(self, n: int) -> bytes:
        while len(self._buffer) < n:
            self._more()
        taken, self._buffer = self._buffer[:n], self._buffer[n:]
        return taken

    def send(self, text: str) -> None:
        self.socket.sendall(frame_of(text.encode()))

    def say(self, **frame: Any) -> None:
        self.send(json.dumps(frame, separators=(",", ":")))

    def raw(self) -> bytes:
        """The next message; raises ``Closed``."""
        while True:
            first, second = self._take(2)
            n = second & 127
            if n == 126:
                (n,) = struct.unpack(">H", self._take(2))
            elif n == 127:
                (n,) = struct.unpack(">Q", self._take(8))
            data = self._take(n)
            match first & 15:
                case 1 | 2:
                    # Compressed answers are read by nobody here.
                    return data
                case 8:
                    raise Closed(struct.unpack(">H", data[:2])[0] if data else 1005)
                case 9:
                    self.socket.sendall(frame_of(data, 10))

    def drain(self) -> None:
        """Drops what has come, without waiting; raises ``Closed`` at a close."""
        try:
            self._more()
        except BlockingIOError:
            return
        while len(self._buffer) >= 4:
            n, at = self._buffer[1] & 127, 2
            if n >= 126:
                at = 4 if n == 126 else 10
                n = int.from_bytes(self._buffer[2:at])
            if len(self._buffer) < at + n:
                return
            if self._buffer[0] & 15 == 8:
                raise Closed(int.from_bytes(self._buffer[at : at + 2]))
            self._buffer = self._buffer[at + n :]

    def read(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(self.raw())
        return frame

    def until(self, kind: str) -> dict[str, Any]:
        while True:
            frame = self.read()
            if frame["type"] in (kind, "error"):
                return frame

    def close(self) -> None:
        self.socket.close()
