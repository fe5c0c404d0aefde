from __future__ import annotations

from pathlib import Path

from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.engine.guesses import score_guesses


def test_the_table_holds_every_guess(tmp_path: Path, run) -> None:
    root = tmp_path / "clips"
    write_clips(root, Plan("v1m", (1, 2, 1), seed=1, size=24))
    shown = run("guess-baselines", root, "--split", "val")
    assert "v1m/val" in shown
    for name, value in score_guesses(root, split="val").items():
        assert any(name in line and f"{value:.3f}" in line for line in shown.splitlines())


def test_a_folder_without_clips_fails_with_status_2(tmp_path: Path, run) -> None:
    assert "metadata.csv" in run("guess-baselines", tmp_path, status=2)
