"""Shows as much as it can in a room, from many connections of one user, and keeps it shown.

{"port", "count", "bytes", "room"}; prints the codes of its answers, and holds on until it is told to end.
"""

import json
import secrets
import sys

from wire import Closed, Line

asked = json.loads(sys.argv[1])
lines, codes = [], {}
for n in range(asked["count"]):
    line = Line(asked["port"], "mallory", query=f"?client={secrets.token_hex(16)}&connection=1")
    lines.append(line)
    line.until("welcome")
    shown = {"x": "A" * asked["bytes"] + str(n)}
    line.say(type="join", id=1, rooms=[{"room": asked["room"], "presence": shown}])
    line.socket.settimeout(1)
    try:
        answer = line.until("joined")
        code = answer.get("code", "joined")
    except Closed as closed:
        code = str(closed.code)
    except TimeoutError:
        code = "nothing"
    codes[code] = codes.get(code, 0) + 1
print(json.dumps(codes), flush=True)
sys.stdin.readline()
