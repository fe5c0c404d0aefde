from __future__ import annotations

from pathlib import Path

import pytest

from analysis.measured_run import run_settings, still_holds
from auralsam2.engine import run_record
from auralsam2.engine.run_record import RunRecord


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    record = RunRecord(data_fingerprint="a" * 64, num_parameters={"trainable": 1})
    run_record.write(record, tmp_path)
    (tmp_path / "config.py").write_text("seed = 0")
    (tmp_path / "best.safetensors").write_bytes(b"one")
    return tmp_path


def test_whatever_changes_the_numbers_makes_them_anew(run_dir: Path) -> None:
    held = run_settings(run_dir, {"a.b": 1, "data.root": "/x"})
    assert still_holds(held, run_settings(run_dir, {"data.root": "/y", "a.b": 1}))
    changes = [run_settings(run_dir, {"a.b": 2})]
    (run_dir / "config.py").write_text("seed = 1")
    changes.append(run_settings(run_dir, {"a.b": 1}))
    (run_dir / "config.py").write_text("seed = 0")
    (run_dir / "best.safetensors").write_bytes(b"two")
    changes.append(run_settings(run_dir, {"a.b": 1}))
    (run_dir / "best.safetensors").write_bytes(b"one")
    run_record.write(RunRecord(data_fingerprint="b" * 64), run_dir)
    changes.append(run_settings(run_dir, {"a.b": 1}))
    assert [still_holds(held, changed) for changed in changes] == [False] * 4


def test_what_is_left_of_lost_weights_and_what_older_code_left_is_kept(run_dir: Path) -> None:
    held = {**run_settings(run_dir, {}), "code_version": "1+a"}
    older = {key: held[key] for key in ("weights", "overrides", "code_version")}
    now = {**held, "code_version": "1+b"}
    assert still_holds(older, held) and not still_holds(older, now, code=("code_version",))
    (run_dir / "best.safetensors").unlink()
    gone = {**run_settings(run_dir, {}), "code_version": "1+b"}
    assert still_holds(held, gone, code=("code_version",)) and not still_holds(held, gone)
