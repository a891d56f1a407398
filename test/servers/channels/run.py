"""The Django Channels test server on daphne or uvicorn: see test/servers/CONTRACT.md."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "asgi")]  # the second for `harness`

from harness import process  # noqa: E402

SERVERS = ("daphne", *(f"uvicorn-{ws}" for ws in process.UVICORN_WS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", choices=SERVERS, required=True)
    process.add_common_options(parser)
    options = parser.parse_args()
    process.log_to_stderr(options.log_level)
    process.stop_when_stdin_ends()

    # Before the first import of Django's settings, which read both.
    os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
    process.choose_redis(options.redis)
    os.environ["CHAT_DATA"] = str(process.data_folder(options.data))
    if options.server == "daphne":
        import daphne.server  # noqa: F401  Twisted's reactor must be installed before anything uses asyncio

    from project.asgi import application
    from project.database import prepare

    prepare()
    if options.server == "daphne":
        process.serve_with_daphne(application, options.port, options.log_level)
    else:
        ws = options.server.removeprefix("uvicorn-")
        process.serve_with_uvicorn(application, ws, options.port, options.log_level)


if __name__ == "__main__":
    main()
