"""The server of the page: on this machine alone, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import logging
import signal
import socket
import threading
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from auralsam2.demo.app import Page
from auralsam2.demo.export import Draw
from auralsam2.demo.scratch import scratch_folder
from auralsam2.demo.sessions import Sessions

HOST = "127.0.0.1"
USUAL_PORT = 7860
GRACE_S = 1
"""Seconds that open connections have when the server ends."""


class Server(uvicorn.Server):
    """A server that stops what is being computed when it is asked to end."""

    def __init__(self, config: uvicorn.Config, sessions: Sessions) -> None:
        super().__init__(config)
        self._sessions = sessions

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end."""
        self._sessions.stop()
        # What is cut off from now on is no error.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        super().handle_exit(sig, frame)


def serve(
    predictors: Mapping[str, Any],
    example: Path,
    port: int | None,
    upload_mb: int,
    browser: bool,
    draw_sheet: Draw,
) -> None:
    """Serve the page until the process is asked to end.

    Args:
        predictors: by the name of their run.
        example: the clip that is there at the beginning.
        port: to listen on; None for the usual one, or any where that is taken.
        upload_mb: the largest clip that is taken.
        browser: whether to open the page in one.
        draw_sheet: draws the sheet of an export to a path.

    Raises:
        OSError: where the port is taken.
    """
    signal.signal(signal.SIGTERM, _end)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    with listening(port) as listener, scratch_folder() as folder:
        found = listener.getsockname()[1]
        sessions = Sessions(predictors, folder)
        app = Page(sessions, example, upload_mb, found, draw_sheet).app()
        config = uvicorn.Config(
            app, log_level="warning", lifespan="off", ws="none", server_header=False,
            proxy_headers=False, timeout_graceful_shutdown=GRACE_S,
        )  # fmt: skip
        url = f"http://{HOST}:{found}/"
        print(f"{url} (this machine alone; Ctrl-C ends it)", flush=True)
        if browser:
            threading.Thread(target=webbrowser.open, args=[url], daemon=True).start()
        Server(config, sessions).run(sockets=[listener])


def listening(port: int | None) -> socket.socket:
    """Listen on this machine's own address.

    Raises:
        OSError: where the port is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, USUAL_PORT if port is None else port))
    except (OSError, OverflowError) as error:
        if port is not None:
            listener.close()
            why = getattr(error, "strerror", "ports are from 0 to 65535")
            raise OSError(f"cannot listen on port {port}: {why}; name another one") from error
        listener.bind((HOST, 0))
    listener.listen()  # who comes before the server has started waits for it
    return listener


def _end(number: int, frame: FrameType | None) -> None:
    """End by an exception, which lets the folder go."""
    raise SystemExit(128 + number)
