"""A study in a real PostgreSQL, on a socket of its own; skipped where that is not installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from .conftest import in_threads
from .test_run_sweep import rows, starts

pytestmark = pytest.mark.slow


@pytest.fixture
def database() -> Iterator[str]:
    """The URL of a server that ends with the test."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'psycopg[binary]'")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    programs = found[-1].parent if found else shutil.which("initdb") and Path()
    if not programs:
        pytest.skip("no initdb: install PostgreSQL")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # the path of a socket must be short
    user = []
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres")
        user = ["runuser", "-u", "postgres", "--"]

    def call(program: str, *arguments: str) -> None:
        command = [*user, str(programs / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=60)

    call("initdb", "-A", "trust", "-U", "postgres", "--no-sync")
    call("pg_ctl", "-w", "-o", f"-k {folder} -h '' -F", "-l", str(folder / "log"), "start")
    try:
        yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    finally:
        call("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder)


def test_two_drivers_and_a_kill(write_sweep, drive, database: str) -> None:
    """What an interrupted driver left is taken up, and two drivers count together."""
    sweep = write_sweep(
        pruner=dict(type="median", n_startup_trials=2),
        overrides={"runtime.work_dir": "interrupt once@trial 2:1"},
    )
    with pytest.raises(KeyboardInterrupt):
        drive(sweep, 8, storage=database)
    in_threads(*[partial(drive, sweep, 8, database)] * 2)
    table = rows(sweep.out)
    assert [row["number"] for row in table] == [str(number) for number in range(8)]
    assert {row["state"] for row in table} <= {"complete", "pruned"}
    begun = starts(sweep.out)
    assert begun.pop("trial-0002") == 2 and set(begun.values()) == {1}


def test_a_silent_trial_is_tried_again(
    write_sweep, open_study, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines without a common disk, one of which goes down."""
    monkeypatch.setattr("ablations.sweeps.storage.BEAT_S", 1)
    monkeypatch.setattr("ablations.sweeps.storage.GRACE_S", 2)
    here, there = (write_sweep(arguments=dict(out=tmp_path / name)) for name in ("a", "b"))
    lost, study = open_study(here, database), open_study(there, database)
    with lost.presence.joined(), study.presence.joined():
        item = lost.next_trial(9)
        lost.beat()
        assert study.next_trial(9).number == 1
        threading.Event().wait(3)
        study.beat()
        retried = study.next_trial(9)
    assert (retried.number, retried.retried, retried.values) == (2, True, item.values)
