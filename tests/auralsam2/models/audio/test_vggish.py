"""VGGish: errors about its weights come first; released numbers where they are at hand."""

import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from auralsam2.engine.hooks.checkpoint_hooks import trainable_state
from auralsam2.models.audio.vggish import VGGish


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("VGGish reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="module")
def random_vggish() -> VGGish:
    return VGGish(random_weights=True)


def test_missing_file_is_named_within_a_second(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.pth"
    start = time.perf_counter()
    with pytest.raises(FileNotFoundError) as error:
        VGGish(weights=str(path))
    assert time.perf_counter() - start < 1.0
    for part in (path, "vggish-10086976.pth", "harritaylor/torchvggish", "v0.1"):
        assert str(part) in str(error.value)
    assert "model.audio_encoder.weights" in str(error.value)


def test_no_weights_must_be_asked_for() -> None:
    with pytest.raises(ValueError, match=r"weights=None.*model\.audio_encoder\.random_weights"):
        VGGish()
    with pytest.raises(ValueError, match="both weights='x.pth' and random_weights=True"):
        VGGish(weights="x.pth", random_weights=True)


def test_a_damaged_file_comes_with_where_the_right_one_is(tmp_path: Path) -> None:
    path = tmp_path / "vggish-10086976.pth"
    path.write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(ValueError, match=r"cannot read .*cut short.*published file is.*SHA-256"):
        VGGish(weights=path)


def test_pickled_code_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    torch.save({"features.0.weight": _Touch(tmp_path / "ran")}, path)
    with pytest.raises(ValueError, match="cannot read"):
        VGGish(weights=path)
    assert not (tmp_path / "ran").exists()


class _Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_missing_library_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvggish.torchvggish", None)
    with pytest.raises(ImportError, match="pip install torchvggish"):
        VGGish(random_weights=True)


def test_frozen_stays_in_eval_mode_without_gradients(random_vggish: VGGish) -> None:
    random_vggish.train()
    assert not random_vggish.training and not random_vggish.network.training
    assert not any(p.requires_grad for p in random_vggish.parameters())
    log_mel = torch.randn(1, 1, 2, 96, 64, requires_grad=True)
    out = random_vggish(log_mel)
    assert not out.requires_grad
    assert (out >= 0).all()  # ReLU, no PCA behind it


def test_tuned_every_weight_gets_a_gradient_and_is_saved() -> None:
    tuned = VGGish(random_weights=True, frozen=False).train()
    log_mel = torch.randn(1, 1, 2, 96, 64, generator=torch.Generator().manual_seed(0))
    tuned(log_mel).square().sum().backward()
    parameters = dict(tuned.named_parameters())
    silent = [n for n, p in parameters.items() if p.grad is None or not p.grad.abs().max() > 0]
    assert tuned.network.training and silent == []
    assert trainable_state(tuned).keys() == parameters.keys()
    assert sum(p.numel() for p in parameters.values()) == 72_141_184
