"""VGGish through torchvggish's network; the only importer of torchvggish in the model."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import nn

from auralsam2.models.audio.ears import EarEncoder
from auralsam2.models.weights.loading import load_weights
from auralsam2.registry import AUDIO_ENCODERS
from auralsam2.weight_files import VGGISH_FILE, VGGISH_SOURCE

EMBEDDING_CHANNELS = 128
PUBLISHED = f"the published file is {VGGISH_FILE}, released at {VGGISH_SOURCE}"
CONFIG_KEY = "set `model.audio_encoder.weights` to its path"


def _missing(path: str | os.PathLike[str]) -> str:
    return (
        f"no VGGish weights at '{os.fspath(path)}'; {PUBLISHED}: download it and {CONFIG_KEY}, or "
        "take `model.audio_encoder=dict(type='LogMelCNN')`, which needs none"
    )


def _build_network(path: Path | None) -> nn.Module:
    """The network alone, with the weights of a file, or with random ones without one."""
    try:
        from torchvggish.torchvggish import VGG, make_layers
    except ImportError as error:
        raise ImportError("VGGish needs torchvggish: pip install torchvggish") from error
    # `torchvggish.vggish()` would download weights, and its post-processor does too.
    if path is None:
        return VGG(make_layers(), postprocess=False)
    with torch.device("meta"):  # 72 M random numbers would be drawn for nothing
        network = VGG(make_layers(), postprocess=False)
    hint = f"{PUBLISHED[0].upper()}{PUBLISHED[1:]}; its SHA-256 begins with 10086976"
    load_weights(network, path, what="VGGish", hint=hint, assign=True)
    return network


@AUDIO_ENCODERS.register_module()
class VGGish(EarEncoder):
    """VGGish (Hershey et al. 2017), 128 non-negative channels an ear, no PCA (published).

    Args:
        weights: path of the weights; never downloaded.
        frozen: no gradient, always in eval mode (published).
        random_weights: start from random weights, for tests and dry runs; ``weights`` must then
            be ``None``.
        channels: ``both`` ears, 256 channels, or their ``mean``, 128.

    Raises:
        FileNotFoundError: where ``weights`` does not exist, before anything is built.
        ValueError: where ``weights`` is missing, contradicts ``random_weights``, cannot be read,
            or does not fit the network.
    """

    def __init__(
        self,
        weights: str | os.PathLike[str] | None = None,
        frozen: bool = True,
        random_weights: bool = False,
        channels: str = "both",
    ) -> None:
        super().__init__(channels)
        if problems := self.problems(weights, random_weights):
            missing = weights is not None and not random_weights
            raise (FileNotFoundError if missing else ValueError)(problems[0])
        path = None if weights is None else Path(os.path.expanduser(weights))
        self.out_channels = self.num_ears * EMBEDDING_CHANNELS
        self.frozen = frozen
        self.network = _build_network(path)
        self.freeze()

    @staticmethod
    def problems(
        weights: str | os.PathLike[str] | None = None, random_weights: bool = False, **_: object
    ) -> list[str]:
        """What stands in the way of building, found without building."""
        if weights is not None and random_weights:
            return [f"VGGish got both weights='{weights}' and random_weights=True"]
        if weights is not None:
            return [] if Path(os.path.expanduser(weights)).is_file() else [_missing(weights)]
        if random_weights:
            return []
        return [
            f"VGGish got weights=None; {PUBLISHED}: download it and {CONFIG_KEY} (or set "
            "`model.audio_encoder.random_weights` to True to go without, on purpose)"
        ]
