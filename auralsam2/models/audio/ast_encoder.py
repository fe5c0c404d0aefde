"""The audio spectrogram transformer as an ear."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from auralsam2.models.audio.transformers_ear import TransformersEar
from auralsam2.registry import AUDIO_ENCODERS
from auralsam2.weight_files import AST

ROWS_PER_SECOND = 100
"""Of its spectrogram."""
SPECIAL = 2
"""Tokens before those of patches: of the class, and of distillation."""


@AUDIO_ENCODERS.register_module()
class ASTEncoder(TransformersEar):
    """AST (Gong et al., Interspeech 2021), trained to name the sounds of AudioSet; 16 kHz.

    A second is padded to the 10.24 s that the model was trained on by the constant with which its
    front end pads short sounds. The vector is the mean of the patches of the second, over all
    frequencies, and not of the two tokens that its classifier reads, which speak of all that is
    heard: so ``context_s`` (up to 10.24) tells what is around without saying the same of every
    second.

    Arguments are those of :class:`TransformersEar`.
    """

    waveform_rate, published, model_types = 16_000, AST, ("audio-spectrogram-transformer",)
    config_class, model_class = "ASTConfig", "ASTModel"
    front_end_class = "ASTFeatureExtractor"
    mini = dict(
        hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128,
        num_mel_bins=64, max_length=128,
    )  # fmt: skip

    def front_end_fields(self, config: Any) -> dict[str, Any]:
        """Normalised by the statistics of AudioSet."""
        return dict(num_mel_bins=config.num_mel_bins, max_length=config.max_length)

    def longest_s(self, front_end: Any, config: Any) -> float:
        """Of its position embeddings."""
        return float(config.max_length / ROWS_PER_SECOND)

    def tokens_a_second(self, config: Any) -> float:
        """One every stride of its patches."""
        return float(ROWS_PER_SECOND / config.time_stride)

    def hidden(self, inputs: dict[str, Tensor]) -> Tensor:
        """Patches in order of time, the mean over frequencies."""
        patches = self.network(**inputs).last_hidden_state[:, SPECIAL:]
        config = self.network.config
        bands = (config.num_mel_bins - config.patch_size) // config.frequency_stride + 1
        return patches.unflatten(1, (bands, -1)).mean(dim=1)
