from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ablations.runs import processes
from ablations.runs.processes import is_dead, output_to, terminate_like_interrupt, this_process

from ..conftest import until


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
    until(lambda: is_dead(process))  # a zombie until it is waited for
    child.wait()
    assert is_dead(process)


def test_all_output_goes_to_the_log_and_comes_back(tmp_path: Path) -> None:
    before = sys.stdout, sys.stderr
    with output_to(tmp_path / "run") as log:
        print("python")
        print("warning", file=sys.stderr)
        os.write(1, b"c library\n")
        os.write(2, b"c error\n")
    assert log.read_text().split("\n") == ["python", "warning", "c library", "c error", ""]
    assert (sys.stdout, sys.stderr) == before


def test_a_resumed_run_appends(tmp_path: Path) -> None:
    for text in ("first", "second"):
        with output_to(tmp_path) as log:
            print(text)
    assert log.read_text() == "first\nsecond\n"


def test_output_comes_back_after_an_error(tmp_path: Path) -> None:
    before = sys.stdout
    with pytest.raises(RuntimeError), output_to(tmp_path):
        raise RuntimeError
    assert sys.stdout is before


def test_a_logger_may_keep_the_stream(tmp_path: Path) -> None:
    with output_to(tmp_path / "first"):
        kept = sys.stdout
    with output_to(tmp_path / "second") as log:
        kept.write("late\n")
    assert log.read_text() == "late\n"


def test_a_terminated_program_tidies_up() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), terminate_like_interrupt():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    assert signal.getsignal(signal.SIGTERM) == before


def test_the_second_signal_does_not_disturb_it() -> None:
    with pytest.raises(KeyboardInterrupt), terminate_like_interrupt():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)


def test_other_threads_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[object] = []

    def work() -> None:
        with terminate_like_interrupt():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
