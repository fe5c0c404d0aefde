from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auralsam2.command_line import clip_bar
from auralsam2.data.example import example_clip
from auralsam2.data.frame_source import open_frames
from auralsam2.predictor import AuralSAM2VideoPredictor
from auralsam2.segment import arguments

CONFIG = "auralsam2/mini_v1m"


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint of random weights, which a config and these make a model of."""
    from auralsam2 import config
    from auralsam2.engine.checkpoint import save_state
    from auralsam2.engine.evaluate import build_model

    path = tmp_path / "w.safetensors"
    save_state(build_model(config.load(CONFIG)).state_dict(), path)
    return path


def test_from_a_checkpoint_to_files_and_back_to_skipping(
    weights: Path, write_video, tmp_path: Path, run
) -> None:
    write_video(tmp_path / "videos" / "a [bold].mp4", seconds=2)
    write_video(tmp_path / "videos" / "b" / "silent.mp4", seconds=1, sound=False)
    (tmp_path / "videos" / "c.mp4").write_text("no video")
    out = tmp_path / "out"
    command = [
        "segment", str(tmp_path / "videos"), "--out", str(out), "--fps", "2", "--config", CONFIG,
        "--checkpoint", str(weights),
    ]  # fmt: skip
    lines = run(*command, status=1).splitlines()
    assert lines[0] == f"a [bold].mp4: '{out}/a [bold].mp4'"
    assert lines[1].startswith("b/silent.mp4: failed: ") and "no audio track" in lines[1]
    assert lines[2].startswith("c.mp4: failed: cannot decode")
    assert lines[3] == f"1 videos written to '{out}', 0 already there, 2 failed"
    with Image.open(out / "a [bold].mp4" / "sheet.png") as sheet:
        assert np.asarray(sheet.convert("L")).std() > 10
    assert len(open_frames(out / "a [bold].mp4" / "overlay.mp4")) == 4
    assert "0 videos written" in run(*command, status=1)
    clicked = [*command[2:], "--click", "0.1,5,5,+"]
    several = run(*command[:2], *clicked, status=2)
    assert "--click and --box are of one video, got 3" in several
    one = ["segment", tmp_path / "videos" / "a [bold].mp4"]
    told = run(*one, *clicked, status=2)
    assert "prompts" in told and "another folder: --out" in told
    outside = ["--out", tmp_path / "new", "--click", "9,5,5,+", "--box", "0,5,5,90,9"]
    told = run(*one, *command[4:], *outside, status=2)
    assert "the video lasts from 0 to 2.00 s" in told and "48 x 32 pixels" in told


def test_without_arguments_the_clip_and_weights_of_the_package_are_taken(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def stop(*arguments: object, **named: object) -> None:
        seen.append(named)
        raise ValueError("seen enough")

    monkeypatch.setattr(arguments, "identity", lambda model: {})
    monkeypatch.setattr(AuralSAM2VideoPredictor, "from_checkpoint", stop)
    run("segment", "--out", tmp_path / "out", status=2)
    assert seen == [{}]
    assert example_clip().name == "example.mp4"


def test_all_wrong_arguments_are_told_at_once(tmp_path: Path, run) -> None:
    told = run("segment", tmp_path / "gone.mp4", "--click", "1,2", "--box", "x", status=2)
    assert "3 problems" in told and "no video at" in told and "--box x: wanted" in told


def test_the_model_is_told_apart_by_weights_and_config(weights: Path, tmp_path: Path) -> None:
    chosen = {"config": CONFIG, "checkpoint": weights}
    first = arguments.identity(chosen)
    assert set(first) == {"weights", "config"}
    assert arguments.identity({**chosen, "config": "auralsam2/mini_v2"}) != first
    other = tmp_path / "other.safetensors"
    other.write_bytes(weights.read_bytes() + b"x")
    found = arguments.identity({**chosen, "checkpoint": other})
    assert found["config"] == first["config"] and found["weights"] != first["weights"]


def test_where_there_is_no_terminal_a_bar_leaves_no_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with clip_bar("a [/] [bold]b.mp4") as told:
        told["on_start"](2)
        told["on_clip"]()
    assert capsys.readouterr() == ("", ""), "no terminal: no bar"


def test_a_bar_on_a_terminal_takes_no_name_for_markup(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with clip_bar("a [/] [bold]b.mp4") as told:
        told["on_start"](2)
        told["on_clip"]()
    told = capsys.readouterr()
    assert told.out == "" and "a [/] [bold]b.mp4" in told.err
