"""Temporary files: one folder a server, gone at its end, or at the next server's start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from auralsam2.demo.scratch import parent_folder, scratch_folder

HOLD = """
import sys, time
from auralsam2.demo.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / 'clip.mp4').write_bytes(b'x')
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_the_folder_goes_with_the_server_and_only_its_user_can_read_it() -> None:
    with scratch_folder() as folder:
        (folder / "session").mkdir()
        (folder / "session" / "clip.mp4").write_bytes(b"x")
        with tempfile.NamedTemporaryFile(delete=False) as file:
            assert Path(file.name).parent == folder
        assert folder.stat().st_mode & 0o777 == 0o700
        assert folder.parent.stat().st_mode & 0o777 == 0o700
    assert list(parent_folder().iterdir()) == []


def test_the_next_server_removes_what_a_killed_one_left_and_no_living_ones() -> None:
    living, killed = (
        subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    )
    held, left = (Path(server.stdout.readline().strip()) for server in (living, killed))
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert (left / "clip.mp4").exists()
    with scratch_folder() as own:
        assert sorted(own.parent.iterdir()) == sorted([held, own])
    living.kill()
    living.wait()


def test_a_folder_of_somebody_else_is_refused(temporary: Path) -> None:
    open_to_all = temporary / f"auralsam2-demo-{os.getuid()}"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    with pytest.raises(PermissionError, match="yours alone"), scratch_folder():
        pass
    open_to_all.rmdir()
    open_to_all.symlink_to(temporary / "elsewhere")
    (temporary / "elsewhere").mkdir(mode=0o700)
    with pytest.raises(PermissionError, match="yours alone"), scratch_folder():
        pass
