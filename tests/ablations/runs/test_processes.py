from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ablations.runs import processes
from ablations.runs.processes import is_dead, this_process


def test_who_asks_is_alive() -> None:
    own = this_process()
    assert own.pid == os.getpid() and own.host and own.machine
    assert not is_dead(own)


def test_processes_elsewhere_cannot_be_judged() -> None:
    assert not is_dead(replace(this_process(), machine="elsewhere", pid=2**22 + 1))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads start times in /proc")
def test_another_process_with_the_same_number_is_not_the_same() -> None:
    assert is_dead(replace(this_process(), started="1"))


def test_the_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = processes._started(child.pid) or ""
    process = replace(this_process(), pid=child.pid, started=started)
    assert not is_dead(process)
    child.kill()
    deadline = 100
    while not is_dead(process) and deadline:  # a zombie until it is waited for
        deadline -= 1
        time.sleep(0.02)
    assert is_dead(process)
    child.wait()
    assert is_dead(process)
