"""torchvision's ResNet in stages, thin or with its own weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torchvision.models import resnet18

from auralsam2.models.image.resnet import ResNetStages


@pytest.mark.parametrize(
    ("kind", "widths"), [("resnet18", [8, 16, 32, 64]), ("resnet50", [32, 64, 128, 256])]
)
def test_stages_of_a_thin_network(kind: str, widths: list[int]) -> None:
    network = ResNetStages(kind, width=8)
    maps = network(torch.randn(2, 3, 64, 64))
    assert [m.shape[1] for m in maps] == widths
    assert [m.shape[2:] for m in maps] == [(16, 16), (8, 8), (4, 4), (2, 2)]
    assert network.channels == tuple(widths)
    sum(m.sum() for m in maps).backward()
    assert all(p.grad is not None for p in network.parameters())


def test_at_full_width_it_is_torchvisions(tmp_path: Path) -> None:
    torch.manual_seed(1)
    theirs = resnet18(weights=None).eval()
    path = tmp_path / "resnet18.pth"
    torch.save(theirs.state_dict(), path)
    ours = ResNetStages("resnet18", weights=path).eval()
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(theirs.fc(ours(x)[-1].mean(dim=(-2, -1))), theirs(x))


def test_weights_that_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "resnet18.pth"
    torch.save(resnet18(weights=None).state_dict(), path)
    with pytest.raises(ValueError, match="does not fit resnet18.*`width` 64"):
        ResNetStages("resnet18", width=8, weights=path)
    with pytest.raises(
        FileNotFoundError, match="resnet50-0676ba61.pth, from https.*`model.image_encoder.weights`"
    ):
        ResNetStages("resnet18", weights=tmp_path / "no.pth")


def test_all_wrong_arguments_are_told_at_once() -> None:
    with pytest.raises(ValueError, match="'resnet19'; known: .*; width must be at least 1, got 0"):
        ResNetStages("resnet19", width=0)
