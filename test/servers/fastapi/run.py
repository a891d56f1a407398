"""The FastAPI test server on uvicorn: see test/servers/CONTRACT.md."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "asgi")]  # the second for `harness`

from chatapp.main import build  # noqa: E402
from harness import process  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ws", choices=process.UVICORN_WS, required=True)
    process.add_common_options(parser)
    options = parser.parse_args()
    process.log_to_stderr(options.log_level)
    process.stop_when_stdin_ends()
    process.choose_redis(options.redis)
    app = build(process.data_folder(options.data))
    process.serve_with_uvicorn(app, options.ws, options.port, options.log_level)


if __name__ == "__main__":
    main()
