from __future__ import annotations

from pathlib import Path

import pytest
from auralsam2_tools.__main__ import main as dispatch
from auralsam2_tools.guess_baselines import main

from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.engine.guesses import score_guesses


def test_the_table_holds_every_guess(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "clips"
    write_clips(root, Plan("v1m", (1, 2, 1), seed=1, size=24))
    assert main([str(root), "--split", "val"]) == 0
    shown = capsys.readouterr().out
    assert "v1m/val" in shown
    for name, value in score_guesses(root, split="val").items():
        assert any(name in line and f"{value:.3f}" in line for line in shown.splitlines())


def test_a_folder_without_clips_fails_with_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatch(["guess-baselines", str(tmp_path)]) == 2
    assert "metadata.csv" in capsys.readouterr().err
