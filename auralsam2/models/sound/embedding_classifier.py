"""A linear classifier, or a small MLP, on the vectors of an audio encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from auralsam2 import registry
from auralsam2.messages import too_small, unnamed
from auralsam2.models.sound.base import SoundClassifier
from auralsam2.registry import SOUND_CLASSIFIERS


@SOUND_CLASSIFIERS.register_module()
class EmbeddingSoundClassifier(SoundClassifier):
    """Layer norm and one linear map of each second's vector, or two with a ReLU between.

    Args:
        num_classes: K.
        audio_encoder: node of ``AUDIO_ENCODERS``.
        hidden: width of a hidden layer; ``None`` has none.

    Raises:
        ValueError: listing every argument that is out of range.
    """

    def __init__(
        self, num_classes: int, audio_encoder: Mapping[str, Any], hidden: int | None = None
    ) -> None:
        super().__init__()
        problems = too_small(num_classes=(num_classes, 1), hidden=(hidden, 1))
        problems += unnamed(audio_encoder=audio_encoder)
        if problems:
            raise ValueError("EmbeddingSoundClassifier: " + "; ".join(problems))
        self.audio_encoder = registry.AUDIO_ENCODERS.build(audio_encoder)
        width = self.audio_encoder.out_channels
        layers: list[nn.Module] = [nn.LayerNorm(width)]
        if hidden is not None:
            layers += [nn.Linear(width, hidden), nn.ReLU()]
            width = hidden
        self.head = nn.Sequential(*layers, nn.Linear(width, num_classes))

    def forward(self, log_mel: Tensor, clip: Sequence[str], waveform: object = None) -> Tensor:
        """(B, T, A, 96, 64) -> (B, T, K)."""
        logits: Tensor = self.head(self.audio_encoder(log_mel))
        return logits
