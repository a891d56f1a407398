"""Sends one frame over and over, and dials anew when it is closed.

{"port", "token", "text": [head, repeated, times, tail], "deflate", "seconds", "perSecond"?}
Prints a line when it begins, and one at its end: frames sent, the codes of its closes, dials.
"""

import json
import os
import select
import sys
import time

from wire import Closed, Line, deflated, frame_of

os.nice(10)
asked = json.loads(sys.argv[1])
head, repeated, times, tail = asked["text"]
data = (head + repeated * times + tail).encode()
payload = deflated(data) if asked["deflate"] else frame_of(data)
if len(payload) < 1_000:
    payload *= 1_000 // len(payload)
began = time.monotonic()
codes: dict[str, int] = {}
sent = dials = 0
print(json.dumps({"attacking": True}), flush=True)


def left() -> float:
    return began + asked["seconds"] - time.monotonic()


def flood(line: Line) -> None:
    global sent
    buffer = b""
    line.socket.setblocking(False)
    while left() > 0:
        if not buffer and sent < asked.get("perSecond", 1e9) * (time.monotonic() - began) + 1:
            buffer, sent = payload, sent + 1
        readable, writable, _ = select.select([line.socket], [line.socket] if buffer else [], [], 0.01)
        if readable:
            line.drain()
        if writable:
            try:
                buffer = buffer[line.socket.send(buffer) :]
            except BlockingIOError:
                pass


while left() > 0:
    dials += 1
    try:
        line = Line(asked["port"], asked["token"], deflate=asked["deflate"])
        flood(line)
    except Closed as closed:
        codes[str(closed.code)] = codes.get(str(closed.code), 0) + 1
    except OSError as error:
        codes[type(error).__name__] = codes.get(type(error).__name__, 0) + 1
    finally:
        line.close()
print(json.dumps({"sent": sent, "codes": codes, "dials": dials}), flush=True)
