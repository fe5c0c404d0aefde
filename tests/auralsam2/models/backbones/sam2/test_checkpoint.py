"""Strict loading: nothing is skipped silently."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from auralsam2.models.backbones.sam2.checkpoint import checkpoint_problem, load_weights
from auralsam2.models.weights import read_state


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_full_load_of_both_formats(tmp_path: Path, suffix: str) -> None:
    source, target = network(), network()
    path = tmp_path / f"weights{suffix}"
    if suffix == ".pt":
        torch.save({"model": source.state_dict()}, path)
    else:
        save_file(source.state_dict(), path)
    report = load_weights(target, path)
    assert report.complete and len(report.matched) == 4
    assert all(torch.equal(a, b) for a, b in zip(source.parameters(), target.parameters()))


def test_partial_load_is_an_error_that_reports_everything(tmp_path: Path) -> None:
    state = network().state_dict()
    state["0.weight"] = torch.zeros(5, 5)
    state["extra"] = torch.zeros(1)
    del state["1.bias"]
    path = tmp_path / "weights.pt"
    torch.save(state, path)
    target = network()
    before = {k: v.clone() for k, v in target.state_dict().items()}
    with pytest.raises(ValueError) as caught:
        load_weights(target, path)
    for part in ("2 matched", "1 missing (1.bias)", "1 unexpected (extra)", "(5, 5), (2, 3)"):
        assert part in str(caught.value)
    assert all(torch.equal(before[k], v) for k, v in target.state_dict().items())
    report = load_weights(target, path, allow_partial=True)
    assert report.matched == ("0.bias", "1.weight")
    assert torch.equal(target[1].weight, state["1.weight"])


@pytest.mark.parametrize("name", ["broken.pt", "broken.safetensors"])
def test_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x80\x02not weights at all")
    with pytest.raises(ValueError, match=f"cannot read .*{name}"):
        read_state(path)


def test_pickled_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.pt"
    torch.save({"model": nn.Linear(1, 1)}, path)  # a pickled object, not a tensor
    with pytest.raises(ValueError, match=r"could run code.*torch\.nn") as caught:
        read_state(path)
    assert "weights_only" not in str(caught.value)


def test_problem_names_path_published_file_and_key() -> None:
    problem = checkpoint_problem("tiny", "2.1", "/nowhere/x.pt", False)
    for part in (
        "/nowhere/x.pt",
        "sam2.1_hiera_tiny.pt",
        "github.com",
        "model.backbone.checkpoint",
    ):
        assert part in problem
    assert "random_weights" in checkpoint_problem("large", "2.0", None, False)
    assert checkpoint_problem("large", "2.0", None, True) == ""
    assert "both" in checkpoint_problem("large", "2.0", "x.pt", True)
