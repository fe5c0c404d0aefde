from __future__ import annotations

from pathlib import Path

import pytest
import torch

from auralsam2.engine.conversion.names import RELEASED_WIDTHS, Structure, entries, resolve


@pytest.fixture
def published(tmp_path: Path) -> Path:
    widths = RELEASED_WIDTHS | dict(C=4, H=8, R=2, I=2, D=3)
    table = entries(Structure("avs", (1, 1, 1), (1, 1, 1), vggish=False))
    state = {e.authors: torch.randn(resolve(e.shape, widths)) for e in table}
    path = tmp_path / "published.pth"
    torch.save(state, path)
    return path


def test_there_and_back(published: Path, tmp_path: Path, run) -> None:
    ours, again = tmp_path / "ours.safetensors", tmp_path / "again.pth"
    shown = run("convert-checkpoint", published, ours)
    state = torch.load(published, weights_only=True)
    assert f"{len(state)} matched; 0 missing; 0 unexpected; 0 misshapen" in shown
    assert f"{len(state)} tensors written to {ours}" in shown
    run("convert-checkpoint", ours, again, "--to", "authors", "--layout", "fuser")
    result = torch.load(again, weights_only=True)
    assert result.keys() == state.keys()
    assert all(torch.equal(result[key], state[key]) for key in state)


def test_options_reach_the_conversion(run, published: Path, tmp_path: Path) -> None:
    older = tmp_path / "older.pth"
    arguments = ["--to", "authors", "--naming", "audio_prompter", "--variant", "avs"]
    run("convert-checkpoint", published, older, *arguments)
    assert "audio_prompter.train_smooth1.bias" in torch.load(older, weights_only=True)


def test_partial_files(published: Path, tmp_path: Path, run) -> None:
    state = torch.load(published, weights_only=True)
    state["smoth_convs.0.bias"] = state.pop("smooth_convs.0.bias")
    torch.save(state, published)
    target = tmp_path / "out.safetensors"
    shown = run("convert-checkpoint", published, target, status=2)
    assert "smoth_convs.0.bias, did you mean smooth_convs.0.bias?" in shown
    assert "--allow-partial" in shown and not target.exists()
    told = run("convert-checkpoint", published, target, "--allow-partial")
    assert "tensors without a place: 1, set aside in" in told
    assert (tmp_path / "out.aside.safetensors").is_file()


def test_a_missing_file_fails_with_status_2(tmp_path: Path, run) -> None:
    told = run("convert-checkpoint", tmp_path / "x.pth", tmp_path / "y.pth", status=2)
    assert "no checkpoint at" in told
