"""Trained weights over a built model, with or without its frozen parts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from auralsam2.engine.checkpoint import frozen_parts, load_trained
from auralsam2.engine.hooks.checkpoint_hooks import trainable_state


class Frozen(nn.Module):
    """A weight, and a buffer as in SAM2's prompt encoder."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Linear(2, 2).requires_grad_(False)
        self.register_buffer("code", torch.randn(3))


class Toy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = Frozen()
        self.audio_encoder = nn.Linear(2, 2).requires_grad_(False)
        self.fuser = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
        self.tracker = nn.Identity()
        self.feature_cache = object()


def saved(state: dict[str, torch.Tensor], tmp_path: Path) -> Path:
    path = tmp_path / "best.safetensors"
    save_file({key: value.clone() for key, value in state.items()}, path)
    return path


def same(one: nn.Module, other: nn.Module) -> list[str]:
    theirs = other.state_dict()
    return [key for key, value in one.state_dict().items() if torch.equal(value, theirs[key])]


def test_children_that_train_nothing() -> None:
    assert frozen_parts(Toy()) == ("backbone.", "audio_encoder.")


def test_weights_of_a_run(tmp_path: Path) -> None:
    source, target = Toy(), Toy()
    path = saved(trainable_state(source), tmp_path)
    cache = target.feature_cache = object()
    target.backbone.load_state_dict(source.backbone.state_dict())
    load_trained(target, path)
    assert not {k for k in source.state_dict() if k.startswith("fuser.")} - set(
        same(source, target)
    )
    assert "audio_encoder.weight" not in same(source, target), "not in the file: kept"
    assert target.feature_cache is cache


def test_a_converted_checkpoint_brings_frozen_parts_or_not(tmp_path: Path) -> None:
    source = Toy()
    state = source.state_dict()
    for parts in (("fuser",), ("fuser", "audio_encoder"), ("fuser", "audio_encoder", "backbone")):
        target = Toy()
        load_trained(
            target, saved({k: v for k, v in state.items() if k.startswith(parts)}, tmp_path)
        )
        assert set(same(source, target)) >= {k for k in state if k.startswith(parts)}
        other_backbone = "backbone" in parts
        assert (target.feature_cache is None) == other_backbone


def test_all_that_does_not_fit_is_told(tmp_path: Path) -> None:
    state = Toy().state_dict()
    del state["fuser.1.running_mean"]
    state["audio_encoder.weight"] = torch.zeros(5, 5)
    state["projector.weight"] = torch.zeros(1)
    with pytest.raises(ValueError) as caught:
        load_trained(Toy(), saved(state, tmp_path))
    for part in (
        "1 missing (fuser.1.running_mean)",
        "1 unexpected (projector.weight)",
        "1 misshapen (audio_encoder.weight: (5, 5), (2, 2))",
    ):
        assert part in str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        load_trained(Toy(), tmp_path / "none.safetensors")


def test_wrappers_come_off(tmp_path: Path) -> None:
    source, target = Toy(), Toy()
    state = {f"module._orig_mod.{key}": value for key, value in source.state_dict().items()}
    load_trained(target, saved(state, tmp_path))
    assert set(same(source, target)) == set(source.state_dict())


def test_a_frozen_part_comes_whole_or_not_at_all(tmp_path: Path) -> None:
    state = Toy().state_dict()
    del state["backbone.network.bias"]
    with pytest.raises(ValueError, match=r"1 missing \(backbone.network.bias\)"):
        load_trained(Toy(), saved(state, tmp_path))


def test_nothing_that_fits_is_an_error_even_where_nothing_is_needed(tmp_path: Path) -> None:
    built = nn.Module()
    built.backbone = Frozen()
    path = saved({"other.weight": torch.ones(1)}, tmp_path)
    with pytest.raises(ValueError, match="nothing in '.*' fits the config's model"):
        load_trained(built, path)
    with pytest.raises(ValueError, match=r"without 'student\.' before them"):
        wrapped = {f"student.{k}": v for k, v in Toy().state_dict().items()}
        load_trained(Toy(), saved(wrapped, tmp_path))
