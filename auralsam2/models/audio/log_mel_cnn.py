"""A small trainable audio encoder for runs without pretrained weights."""

from __future__ import annotations

from torch import Tensor, nn

from auralsam2.models.audio.ears import EarEncoder
from auralsam2.models.weights import BUILTIN, locate
from auralsam2.models.weights.loading import load_weights
from auralsam2.registry import AUDIO_ENCODERS

# ln(mel + 0.01) of silence is -4.6 and of loud sound about 3: centre and half range.
LOG_MEL_CENTRE, LOG_MEL_SCALE = -1.0, 2.0
NUM_GROUPS = 8


def _stage(
    in_channels: int, out_channels: int, kernel: tuple[int, int], stride: tuple[int, int]
) -> nn.Sequential:
    padding = (kernel[0] // 2, kernel[1] // 2)
    # Group norm, not batch norm: clips of a batch must not share statistics.
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding, bias=False),
        nn.GroupNorm(NUM_GROUPS, out_channels),
        nn.GELU(),
    )


class LogMelNetwork(nn.Module):
    """Three convolutions, the later ones of 2 and 3 times the first one's width.

    Time is averaged away at the end while 8 bands of frequency are kept: which bands carry energy
    is what tells sources apart, and they add up in a mixture.
    """

    num_bands = 8

    def __init__(self, out_channels: int, width: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            _stage(1, width, (7, 5), (4, 2)),
            _stage(width, 2 * width, (3, 3), (2, 2)),
            _stage(2 * width, 3 * width, (3, 3), (2, 2)),
        )
        self.head = nn.Linear(self.num_bands * 3 * width, out_channels)

    def forward(self, examples: Tensor) -> Tensor:
        """(L, 1, 96, 64) -> (L, out_channels)."""
        maps = self.features((examples - LOG_MEL_CENTRE) / LOG_MEL_SCALE)  # (L, 3 width, 6, 8)
        return self.head(maps.mean(dim=2).flatten(1))


@AUDIO_ENCODERS.register_module()
class LogMelCNN(EarEncoder):
    """Convolutions over one log-mel example (0.96 s) an ear, trained with the fuser.

    Args:
        out_channels: twice the channels of an ear: D with both ears, 2 D with their mean.
        width: channels after the first convolution, divisible by 8.
        weights: path of weights to start from, or ``builtin://log-mel-cnn`` (width 16, 256
            channels), which can name the sources of synthetic clips.
        frozen: no gradient, always in eval mode, as VGGish is.
        channels: ``both`` ears, or one that hears their ``mean``; weights fit both.

    Raises:
        FileNotFoundError: where ``weights`` does not exist.
        ValueError: where ``out_channels`` is odd, ``width`` not divisible by 8, or the weights
            are of other widths.
    """

    def __init__(
        self,
        out_channels: int = 256,
        width: int = 32,
        weights: str | None = None,
        frozen: bool = False,
        channels: str = "both",
    ) -> None:
        super().__init__(channels)
        problems = []
        if out_channels % 2:
            problems.append(f"out_channels must be even (two ears), got {out_channels}")
        if width < 1 or width % NUM_GROUPS:
            problems.append(f"width must be a positive multiple of {NUM_GROUPS}, got {width}")
        if problems:
            raise ValueError("LogMelCNN: " + "; ".join(problems))
        self.out_channels = out_channels // 2 * self.num_ears
        self.network = LogMelNetwork(out_channels // 2, width)
        if missing := self.problems(weights):
            raise FileNotFoundError(missing[0])
        if weights is not None:
            hint = "Set its width and out_channels to those that the weights were trained with"
            load_weights(self, locate(weights), what="this LogMelCNN", hint=hint)
        self.frozen = frozen
        self.freeze()

    @staticmethod
    def problems(weights: str | None = None, **_: object) -> list[str]:
        """What stands in the way of building, found without building."""
        if weights is None or locate(weights).is_file():
            return []
        return [
            f"no LogMelCNN weights at '{weights}'; '{BUILTIN}log-mel-cnn' comes with this package: "
            "set `model.audio_encoder.weights` to it, or to None to train from the start"
        ]
