"""How a test server lives and dies: one line when it listens, and never longer than the test."""

from __future__ import annotations

import argparse
import json
import logging
import os
import secrets
import signal
import sys
import tempfile
import threading
import warnings
from pathlib import Path
from typing import Any

from .rooms import REDIS

UVICORN_WS = ("websockets", "wsproto", "websockets-sansio")
GRACE_SECONDS = 1.0


def add_common_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=0, help="a free one when left out")
    parser.add_argument("--data", type=Path, help="keeps users and tokens here over a restart")
    parser.add_argument("--redis", metavar="URL", help="the rooms are in that Redis, for several processes")
    parser.add_argument(
        "--log-level",
        default="warning",
        choices=("warning", "info", "debug"),
        help="info and debug show request targets, so tokens: only for measuring what a server logs",
    )


def choose_redis(url: str | None) -> None:
    """Before the application is imported, which reads it."""
    if url is None:
        os.environ.pop(REDIS, None)
    else:
        os.environ[REDIS] = url


def data_folder(chosen: Path | None) -> Path:
    """A temporary folder needs no tidying up here: it holds kilobytes and the process may be killed."""
    if chosen is None:
        return Path(tempfile.mkdtemp(prefix="authed-socket-server-"))
    chosen.mkdir(parents=True, exist_ok=True)
    return chosen


def signing_key(data: Path) -> str:
    """Kept beside the users: tokens stay valid when the same data is served again."""
    path = data / "signing.key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text()


def log_to_stderr(level: str) -> None:
    """Warnings and worse only: at INFO uvicorn writes request targets, and a token may be in one."""
    logging.basicConfig(stream=sys.stderr, level=level.upper(), format="%(levelname)s %(name)s %(message)s")


def announce(port: int) -> None:
    line = json.dumps({"listening": port}, separators=(",", ":")) + "\n"
    # One write, also where Python runs unbuffered: a reader may take each chunk for a line. And not by
    # way of sys.stdout, which Twisted turns into a log when it is verbose.
    os.write(1, line.encode())


def stop_when_stdin_ends() -> None:
    """A test runner that was killed closes its pipe, and takes its servers along that way."""

    def watch() -> None:
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            pass  # stdin was closed from the start
        exit_soon()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="stdin", daemon=True).start()


def exit_soon() -> None:
    """Ends the process even where the server waits for a peer that will not answer any more."""
    timer = threading.Timer(GRACE_SECONDS, os._exit, args=(0,))
    timer.daemon = True
    timer.start()


def serve_with_uvicorn(app: Any, ws: str, port: int, log_level: str) -> None:
    import uvicorn
    from uvicorn.config import UvicornDeprecationWarning

    # `websockets` names the older of uvicorn's two, now deprecated; it is what existing deployments run.
    warnings.filterwarnings("ignore", category=UvicornDeprecationWarning)

    class Server(uvicorn.Server):
        async def startup(self, *args: Any, **options: Any) -> None:
            await super().startup(*args, **options)
            announce(self.servers[0].sockets[0].getsockname()[1])

        async def shutdown(self, *args: Any, **options: Any) -> None:
            exit_soon()
            await super().shutdown(*args, **options)

    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        ws=ws,  # type: ignore[arg-type]
        log_config=None,
        log_level=log_level,
        access_log=log_level != "warning",
        timeout_graceful_shutdown=1,
    )
    Server(config).run()


def serve_with_daphne(app: Any, port: int, log_level: str) -> None:
    # Not at the top: importing daphne.server installs Twisted's reactor for the whole process.
    from daphne.access import AccessLogGenerator
    from daphne.server import Server as DaphneServer
    from twisted.internet import reactor

    class Server(DaphneServer):
        def listen_success(self, port: Any) -> None:
            super().listen_success(port)
            announce(port.getHost().port)

    reactor.addSystemEventTrigger("before", "shutdown", exit_soon)  # type: ignore[attr-defined]
    verbosity = {"warning": 0, "info": 1, "debug": 2}[log_level]
    # The connect timeout is that of the `daphne` command; the class alone would wait for 20 seconds.
    Server(
        app,
        endpoints=[f"tcp:port={port}:interface=127.0.0.1"],
        verbosity=verbosity,
        action_logger=AccessLogGenerator(sys.stderr) if verbosity else None,
        websocket_connect_timeout=5,
    ).run()
    # Not through the interpreter's own end: with daemon threads left it crashed there now and then.
    os._exit(0)
