"""The ResNets of torchvision in stages."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from auralsam2.messages import too_small
from auralsam2.models.weights.loading import Tolerance, load_weights
from auralsam2.registry import IMAGE_ENCODERS
from auralsam2.weight_files import image_weight_problems

FULL_WIDTH = 64


KINDS = {
    "resnet18": ("BasicBlock", (2, 2, 2, 2)),
    "resnet34": ("BasicBlock", (3, 4, 6, 3)),
    "resnet50": ("Bottleneck", (3, 4, 6, 3)),
    "resnet101": ("Bottleneck", (3, 4, 23, 3)),
}
"""Name of torchvision's class of blocks, and how many of them each stage has."""


@IMAGE_ENCODERS.register_module()
class ResNetStages(nn.Module):
    """A ResNet (He et al. 2016) as torchvision builds it, its stride in the 3x3 convolutions.

    Args:
        kind: ``resnet18``, ``resnet34``, ``resnet50`` or ``resnet101``.
        width: channels of the stem; 64 is torchvision's, less is a thinner network for which
            there are no published weights.
        weights: path of a state dict of torchvision's ResNet, whose classifier is left out;
            ``None`` starts from random weights. Nothing is ever downloaded.

    Attributes:
        channels: of the four stages.

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
        problems = [] if kind in KINDS else [f"unknown ResNet {kind!r}; known: {', '.join(KINDS)}"]
        problems += too_small(width=(width, 1))
        if problems:
            raise ValueError("ResNetStages: " + "; ".join(problems))
        if missing := self.problems(weights):
            raise FileNotFoundError(missing[0])
        self.network = _build(*KINDS[kind], width)
        expansion = self.network.layer1[0].expansion
        self.channels = tuple(width * 2**stage * expansion for stage in range(4))
        if weights is not None:
            hint = f"It must be a state dict of torchvision's, and `width` {FULL_WIDTH}"
            path = Path(os.path.expanduser(weights))
            load_weights(self.network, path, what=kind, hint=hint, tolerance=Tolerance(("fc.",)))

    @staticmethod
    def problems(weights: str | os.PathLike[str] | None = None, **_: object) -> list[str]:
        """What stands in the way of building, found without building."""
        return image_weight_problems(weights, "resnet50-0676ba61.pth")

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """(F, 3, S, S) -> (F, C_i, S / s, S / s) for s = 4, 8, 16, 32."""
        net = self.network
        x = net.maxpool(net.relu(net.bn1(net.conv1(frames))))
        maps = []
        for stage in (net.layer1, net.layer2, net.layer3, net.layer4):
            x = stage(x)
            maps.append(x)
        return tuple(maps)


def _build(block: str, depths: Sequence[int], width: int) -> Any:
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

    network = ThinResNet(getattr(resnet, block), list(depths))
    network.fc = nn.Identity()
    if width != FULL_WIDTH:
        network.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
        network.bn1 = nn.BatchNorm2d(width)
    return network
