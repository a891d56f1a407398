"""Somebody who joins that room with presence, and goes on in another one. {"port", "room"}; prints what came."""

import json
import secrets
import sys

from wire import Closed, Line

asked = json.loads(sys.argv[1])
line = Line(asked["port"], "guest", query=f"?client={secrets.token_hex(16)}&connection=1")
line.socket.settimeout(10)
found: dict[str, object] = {}
try:
    line.until("welcome")
    line.say(type="join", id=1, rooms=[{"room": "elsewhere"}])
    line.until("joined")
    line.say(type="join", id=2, rooms=[{"room": asked["room"], "presence": {"mood": "calm"}}])
    answer = line.until("joined")
    found["answer"] = answer.get("code", "joined")
    found["bytes"] = len(json.dumps(answer))
    found["members"] = len(answer.get("members", []))
    line.say(type="ping", id=3)
    found["pong"] = line.until("pong")["type"]
except Closed as closed:
    found["closed"] = closed.code
except TimeoutError:
    found["silence"] = True
print(json.dumps(found), flush=True)
