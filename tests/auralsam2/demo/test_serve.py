"""The server: of this machine alone, gone with all its files whoever ends it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="the extra 'demo' is not installed")

from auralsam2.demo.serve import listening

SERVE = """
import signal
from pathlib import Path
from auralsam2.demo.serve import serve
# What started the tests may have left these ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
serve({}, Path("example.mp4"), 0, 1, browser=False, draw_sheet=None)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_its_files_go(tmp_path: Path, number: int) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE], env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    said = server.stdout.readline()
    url = re.match(r"http://127\.0\.0\.1:\d+/", said)
    assert url, server.stderr.read()
    # The server of urllib's own proxies is no way to this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    assert b"Hear and click" in opener.open(url[0]).read()
    (parent,) = tmp_path.iterdir()
    (folder,) = parent.iterdir()
    assert (folder / "s1").is_dir()
    server.send_signal(number)
    _, errors = server.communicate(timeout=20)
    assert list(parent.iterdir()) == []
    assert "Traceback" not in errors or number == signal.SIGINT  # tools tell of the latter
    assert server.returncode != 0


def test_it_listens_to_this_machine_alone() -> None:
    with listening(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
        port = listener.getsockname()[1]
        listener.listen()
        with pytest.raises(OSError, match=f"cannot listen on port {port}: .*; name another one"):
            listening(port)
        with pytest.raises(OSError, match="port 70000: ports are from 0 to 65535"):
            listening(70_000)
        with listening(None) as another:
            assert another.getsockname()[1] != port
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
