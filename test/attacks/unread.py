"""Sends calls for so many seconds and reads no answer. {"port", "bytes", "seconds"}; prints a line at the end."""

import json
import os
import select
import sys
import time

from wire import Line, frame_of

os.nice(10)
asked = json.loads(sys.argv[1])
line = Line(asked["port"], "mallory")
line.until("welcome")
line.socket.setblocking(False)
call = {"type": "call", "id": 1, "method": "echo", "data": "A" * asked["bytes"]}
payload = frame_of(json.dumps(call, separators=(",", ":")).encode())
began, buffer, taken = time.monotonic(), b"", 0
while time.monotonic() - began < asked["seconds"]:
    if not select.select([], [line.socket], [], 0.1)[1]:
        continue
    buffer = buffer or payload
    try:
        sent = line.socket.send(buffer)
    except OSError:
        break
    buffer, taken = buffer[sent:], taken + sent
print(json.dumps({"taken": taken}), flush=True)
sys.stdin.readline()
