from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ablations.runs.log import output_to


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
