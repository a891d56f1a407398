"""How long one frame holds the loop of a process: {"known": bool, "frames": [[kind, bytes], …]}.

Prints the milliseconds of CPU of the longest step for each, the least of some tries, and beside it a floor:
what Python's own JSON took for 64 KiB of empty lists just before.
"""

import asyncio
import dataclasses
import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import authed_rooms as rooms

TRIES = 9
SCOPE = {"headers": [], "query_string": b"", "subprotocols": [rooms.PROTOCOL]}


def filled(unit: str) -> Callable[[int], str]:
    """A call whose data repeats something."""
    head, tail = '{"type":"call","id":1,"method":"echo","data":[', "0]}"
    return lambda size: head + unit * ((size - len(head) - len(tail)) // len(unit)) + tail


def joining(size: int) -> str:
    entries = [{"room": f"{n:x}"} for n in range(size // 20)]
    return json.dumps({"type": "join", "id": 1, "rooms": entries}, separators=(",", ":"))


def mixed(seed: int) -> Callable[[int], str]:
    """What a frame could be made of, in any order."""
    pieces = ["[", "{", "]", "}", '"', '\\', '\\"', '"id":1', '"room":"', ":", ",", " ", "1e3", "é", "😀"]

    def make(size: int) -> str:
        chosen = random.Random(seed)
        text = "[" * chosen.choice([0, 1, 2_000])
        while len(text) < size:
            text += chosen.choice(pieces) * chosen.choice([1, 1, 1, 2, 99, 9_999])
        return text[:size]

    return make


KINDS: dict[str, Callable[[int], str]] = {
    "nested": lambda size: "[" * size,
    "nested objects": lambda size: '{"a":' * (size // 5),
    "nested, then quotes": lambda size: "[" * 2_000 + '"' + '\\"' * ((size - 2_001) // 2),
    "nested, then backslashes": lambda size: "[" * 2_000 + '"' + "\\" * (size - 2_001),
    "nested, then ids": lambda size: "{" + "[" * 2_000 + '"id":' * ((size - 2_001) // 5),
    "nested, then spaces": lambda size: "{" + "[" * 2_000 + '"id"' + " " * (size - 2_005),
    "an unterminated string": lambda size: '{"type":"' + "x" * (size - 9),
    "escapes": filled('"\\u00e9\\"",'),
    "empty lists": filled("[],"),
    "objects": filled('{"":0},'),
    "numbers": filled("1.5,"),
    "large numbers": filled("1e300,"),
    "long numbers": filled("9" * 4_000 + ","),
    "strings": filled('"",'),
    "rooms": joining,
} | {f"mixed {seed}": mixed(seed) for seed in range(12)}


class Wire:
    def __init__(self) -> None:
        self.said = 0

    async def send(self, text: str) -> None:
        self.said += 1

    async def close(self, code: int, reason: str) -> None:
        self.said += 1


def hooks() -> Any:
    given = {
        "authenticate": lambda token: rooms.Identity(token),
        "authenticate_scope": None,
        "authorize": lambda user, room, params: True,
        "on_call": lambda user, method, data: None,
    }
    names = [field.name for field in dataclasses.fields(rooms.Hooks)]
    return rooms.Hooks(**{name: given.get(name, lambda user, room, data: data) for name in names})


class Steps:
    """The longest one that a loop has made."""

    def __init__(self) -> None:
        self.longest = 0.0
        run = asyncio.events.Handle._run

        def timed(handle: asyncio.events.Handle) -> None:
            began = time.thread_time()
            run(handle)
            self.longest = max(self.longest, time.thread_time() - began)

        asyncio.events.Handle._run = timed  # type: ignore[method-assign]


async def hold(steps: Steps, text: str, known: bool) -> float:
    hub = rooms.Hub(rooms.MemoryStore(), rooms.Settings(drain_ms=0))
    token = ["token", "alice"] if known else []
    wire = Wire()
    scope = SCOPE | {"subprotocols": [rooms.PROTOCOL, *token]}
    session = rooms.Session(hub, hooks(), wire, scope)
    session.begin()
    while known and session.user is None:
        await asyncio.sleep(0)
    await asyncio.sleep(0)  # a step of its own for the frame
    greeted = wire.said
    steps.longest = 0.0
    await session.receive(text)
    for _ in range(1_000):
        await asyncio.sleep(0)
        if wire.said > greeted:
            break
    longest = steps.longest
    await session.end(lost=False)
    for task in hub._tasks:
        task.cancel()
    return longest * 1_000


LISTS = "[" + "[]," * 21_800 + "0]"


def floor() -> float:
    began = time.thread_time()
    json.loads(LISTS)
    return (time.thread_time() - began) * 1_000


async def main() -> None:
    asked = json.loads(sys.argv[1])
    steps = Steps()
    held: list[tuple[Any, ...]] = []
    for kind, size in asked["frames"]:
        if any(slow == kind and ms > 100 for slow, _, ms, _ in held):
            continue  # a larger one would take minutes
        text = KINDS[kind](size)
        least = (1e9, 1.0)
        for _ in range(TRIES):
            now = floor()
            least = min(least, (await hold(steps, text, asked["known"]), now))
            if not 3 < least[0] < 100:
                break
        held.append((kind, size, *(round(ms, 2) for ms in least)))
    print(json.dumps(held))


asyncio.run(main())
