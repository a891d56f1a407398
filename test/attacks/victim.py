"""Somebody who does no harm: how long its pongs take, for so long after each line that it is told. {"port", "seconds"}"""

import json
import sys
import time

from wire import Line

asked = json.loads(sys.argv[1])
line = Line(asked["port"], "victim")
line.until("welcome")
print(json.dumps({"here": True}), flush=True)
for _ in sys.stdin:
    taken = []
    began = time.monotonic()
    while time.monotonic() - began < asked["seconds"]:
        sent = time.monotonic()
        line.say(type="ping", id=1)
        line.until("pong")
        taken.append((time.monotonic() - sent) * 1_000)
        time.sleep(0.01)
    taken.sort()
    print(json.dumps({"median": taken[len(taken) // 2], "worst": taken[-1], "pongs": len(taken)}), flush=True)
