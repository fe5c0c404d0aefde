from __future__ import annotations

from pathlib import Path

import pytest
import torch
from auralsam2_tools.__main__ import main as dispatch
from auralsam2_tools.convert_checkpoint import main

from auralsam2.engine.conversion.names import RELEASED_WIDTHS, Structure, entries, resolve


@pytest.fixture
def published(tmp_path: Path) -> Path:
    widths = RELEASED_WIDTHS | dict(C=4, H=8, R=2, I=2, D=3)
    table = entries(Structure("avs", (1, 1, 1), (1, 1, 1), vggish=False))
    state = {e.authors: torch.randn(resolve(e.shape, widths)) for e in table}
    path = tmp_path / "published.pth"
    torch.save(state, path)
    return path


def test_there_and_back(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, again = tmp_path / "ours.safetensors", tmp_path / "again.pth"
    assert main([str(published), str(ours)]) == 0
    shown = capsys.readouterr().out
    state = torch.load(published, weights_only=True)
    assert f"{len(state)} matched; 0 missing; 0 unexpected; 0 misshapen" in shown
    assert f"{len(state)} tensors written to {ours}" in shown
    assert main([str(ours), str(again), "--to", "authors", "--layout", "fuser"]) == 0
    result = torch.load(again, weights_only=True)
    assert result.keys() == state.keys()
    assert all(torch.equal(result[key], state[key]) for key in state)


def test_options_reach_the_conversion(published: Path, tmp_path: Path) -> None:
    older = tmp_path / "older.pth"
    arguments = ["--to", "authors", "--naming", "audio_prompter", "--variant", "avs"]
    assert main([str(published), str(older), *arguments]) == 0
    assert "audio_prompter.train_smooth1.bias" in torch.load(older, weights_only=True)


def test_partial_files(published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = torch.load(published, weights_only=True)
    state["smoth_convs.0.bias"] = state.pop("smooth_convs.0.bias")
    torch.save(state, published)
    target = tmp_path / "out.safetensors"
    assert dispatch(["convert-checkpoint", str(published), str(target)]) == 2
    shown = capsys.readouterr().err
    assert "smoth_convs.0.bias, did you mean smooth_convs.0.bias?" in shown
    assert "--allow-partial" in shown and not target.exists()
    assert main([str(published), str(target), "--allow-partial"]) == 0
    assert "tensors without a place: 1, set aside in" in capsys.readouterr().out
    assert (tmp_path / "out.aside.safetensors").is_file()


def test_a_missing_file_fails_with_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatch(["convert-checkpoint", str(tmp_path / "x.pth"), str(tmp_path / "y.pth")]) == 2
    assert "no checkpoint at" in capsys.readouterr().err
