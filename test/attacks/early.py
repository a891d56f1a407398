"""Many who show a bad token that takes its time to be looked up, and send meanwhile what they can.

{"port", "path", "count", "text": [head, repeated, times, tail], "frames"}
Prints a line when all have sent, and holds its sockets until it is told to end, by a line.
"""

import json
import os
import sys

from wire import Closed, Line, frame_of

os.nice(10)
asked = json.loads(sys.argv[1])
head, repeated, times, tail = asked["text"]
payload = frame_of((head + repeated * times + tail).encode()) * asked["frames"]
lines = []
for _ in range(asked["count"]):
    try:
        lines.append(Line(asked["port"], "slow-bad", path=asked["path"]))
        lines[-1].socket.setblocking(False)
        lines[-1].socket.send(payload)
    except (Closed, OSError):
        pass
print(json.dumps({"here": len(lines)}), flush=True)
sys.stdin.readline()
