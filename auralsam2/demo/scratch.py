"""One folder for all temporary files of one server, gone with it however it ends.

A server that is stopped removes its folder itself. One that was killed cannot: its lock is free,
and the next server removes what it left.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".in_use"


def parent_folder() -> Path:
    """Return where the folders of this user's servers are, made where it is missing.

    Raises:
        PermissionError: where another user made it, or can write in it.
    """
    path = Path(tempfile.gettempdir()) / f"auralsam2-demo-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(
            f"'{path}' is no folder that is yours alone: remove it, or name another place for "
            "temporary files in TMPDIR"
        )
    return path


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder that only this user can read, and remove it at the end.

    Whatever this process writes to temporary files meanwhile goes there too. What servers left that
    were killed is removed first.
    """
    parent = parent_folder()
    remove_stale(parent)
    folder = Path(tempfile.mkdtemp(prefix="server-", dir=parent))
    lock = os.open(folder / ".new", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.rename(folder / ".new", folder / LOCK)  # held before another server can see it
    elsewhere, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = elsewhere
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def remove_stale(parent: Path) -> list[Path]:
    """Remove the folders below ``parent`` that no living server holds, and return them."""
    removed = []
    for folder in sorted(parent.glob("server-*")):
        try:
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:  # just being made or removed by its server
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder)
        finally:
            os.close(lock)
    return removed
