"""Layers of AVSBench's baseline: the ResNet of torchvision in stages, neck and decoder.

Axes: F frames, C channels of the decoder, h and w sides of a stage's map.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2.models.weights.loading import Tolerance, load_weights

FULL_WIDTH = 64


class Kind(NamedTuple):
    """One of torchvision's ResNets."""

    block: str  # name of its class of blocks
    depths: tuple[int, int, int, int]  # blocks of each stage
    expansion: int = 1  # channels that leave a block over channels inside it


KINDS = {
    "resnet18": Kind("BasicBlock", (2, 2, 2, 2)),
    "resnet34": Kind("BasicBlock", (3, 4, 6, 3)),
    "resnet50": Kind("Bottleneck", (3, 4, 6, 3), 4),
    "resnet101": Kind("Bottleneck", (3, 4, 23, 3), 4),
}


class ResNetStages(nn.Module):
    """Maps at 1/4, 1/8, 1/16 and 1/32 of the input's side.

    Args:
        kind: one of ``KINDS``.
        width: channels of the stem; 64 is torchvision's, less is a thinner network for which
            there are no published weights.
        weights: path of a state dict of torchvision's ResNet, whose classifier is left out;
            ``None`` starts from random weights. Nothing is ever downloaded.

    Attributes:
        out_channels: of the four stages.

    Raises:
        FileNotFoundError: where ``weights`` does not exist, before anything is built.
        ValueError: on an unknown kind, a width below 1, or weights that do not fit.
    """

    def __init__(
        self,
        kind: str = "resnet50",
        width: int = FULL_WIDTH,
        weights: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__()
        problems = resnet_problems(kind, width)
        if problems:
            raise ValueError("ResNetStages: " + "; ".join(problems))
        missing = resnet_weight_problems(kind, weights)
        if missing:
            raise FileNotFoundError(missing[0])
        self.network = _build(KINDS[kind], width)
        self.out_channels = [
            width * 2**stage * KINDS[kind].expansion for stage in range(len(KINDS[kind].depths))
        ]
        if weights is not None:
            hint = (
                f"It must be a state dict of torchvision's, and `model.resnet_width` {FULL_WIDTH}"
            )
            path = Path(weights).expanduser()
            load_weights(self.network, path, what=kind, hint=hint, tolerance=Tolerance(("fc.",)))

    def forward(self, frames: Tensor) -> list[Tensor]:
        """(F, 3, S, S) -> (F, C_i, S / s, S / s) for s = 4, 8, 16, 32."""
        net = self.network
        x = net.maxpool(net.relu(net.bn1(net.conv1(frames))))
        maps = []
        for stage in (net.layer1, net.layer2, net.layer3, net.layer4):
            x = stage(x)
            maps.append(x)
        return maps


def resnet_problems(kind: str, width: int) -> list[str]:
    """What is wrong with the arguments."""
    problems = [] if kind in KINDS else [f"unknown ResNet {kind!r}; known: {', '.join(KINDS)}"]
    if width < 1:
        problems.append(f"width must be at least 1, got {width}")
    return problems


def resnet_weight_problems(kind: str, weights: str | os.PathLike[str] | None) -> list[str]:
    """What to tell a user whose weights are not there."""
    if weights is None or Path(weights).expanduser().is_file():
        return []
    return [
        f"no ResNet weights at '{os.fspath(weights)}'; set `model.resnet_weights` to a state dict "
        f"of torchvision's {kind} (its ImageNet weights, downloaded by yourself), or to None to "
        "train from the start"
    ]


def _build(kind: Kind, width: int) -> nn.Module:
    from torchvision.models import resnet

    class ThinResNet(resnet.ResNet):
        """torchvision's ResNet with every width scaled by ``width`` / 64."""

        def _make_layer(
            self, block: type[nn.Module], planes: int, *args: object, **more: object
        ) -> nn.Sequential:
            if planes == FULL_WIDTH:  # the first stage: the stem below has this many channels
                self.inplanes = width
            made: nn.Sequential = super()._make_layer(
                block, planes * width // FULL_WIDTH, *args, **more
            )
            return made

    network = ThinResNet(getattr(resnet, kind.block), list(kind.depths))
    network.fc = nn.Identity()
    if width != FULL_WIDTH:
        network.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
        network.bn1 = nn.BatchNorm2d(width)
    return network


NARROWEST = 8


class DilatedNeck(nn.Module):
    """A stage's map to C channels: the sum of 3x3 convolutions, one a dilation (ASPP).

    AVSBench takes the dilations (3, 6, 12, 18).
    """

    def __init__(self, in_channels: int, channels: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(in_channels, channels, 3, padding=d, dilation=d) for d in dilations
        )

    def forward(self, stage: Tensor) -> Tensor:
        """(F, in_channels, h, w) -> (F, C, h, w)."""
        out: Tensor = sum(conv(stage) for conv in self.convs)  # type: ignore[assignment]
        return out


class ResidualUnit(nn.Module):
    """ReLU, convolution, ReLU, convolution, and the input again (RefineNet, Lin et al. 2017)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(F, C, h, w) -> the same."""
        out: Tensor = x + self.second(F.relu(self.first(F.relu(x))))
        return out


class RefineStep(nn.Module):
    """Add a finer stage to what came from the coarser ones.

    The coarsest, the first step, has nothing to add to, and one unit less.
    """

    def __init__(self, channels: int, coarsest: bool = False) -> None:
        super().__init__()
        self.skip = None if coarsest else ResidualUnit(channels)
        self.out = ResidualUnit(channels)

    def forward(self, stage: Tensor, coarser: Tensor | None = None) -> Tensor:
        """(F, C, h, w) of the stage and (F, C, h', w') so far -> (F, C, h, w)."""
        if self.skip is None or coarser is None:
            return self.out(stage)  # type: ignore[no-any-return]
        return self.out(enlarge(coarser, stage.shape[-1]) + self.skip(stage))  # type: ignore[no-any-return]


class MaskHead(nn.Module):
    """C channels to the logits of one mask, enlarged on the way."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        # 128 and 32 at AVSBench's 256. Of very few channels the ReLU can lose all for good.
        inner = max(NARROWEST, channels // 8)
        self.first = nn.Conv2d(channels, channels // 2, 3, padding=1)
        self.second = nn.Conv2d(channels // 2, inner, 3, padding=1)
        self.last = nn.Conv2d(inner, 1, 1)

    def forward(self, x: Tensor, inner_side: int, side: int) -> Tensor:
        """(F, C, h, h) -> (F, side, side); the first convolution works at ``inner_side``."""
        x = enlarge(self.first(enlarge(x, inner_side)), side)
        out: Tensor = self.last(F.relu(self.second(x)))[:, 0]
        return out


def enlarge(x: Tensor, side: int) -> Tensor:
    """Bilinearly to (F, C, side, side), corners on corners as in AVSBench."""
    if x.shape[-1] == side:
        return x
    return F.interpolate(x, size=(side, side), mode="bilinear", align_corners=True)
