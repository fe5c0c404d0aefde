"""CLAP's audio tower as an ear."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from auralsam2.models.audio.transformers_ear import TransformersEar
from auralsam2.registry import AUDIO_ENCODERS
from auralsam2.weight_files import CLAP


@AUDIO_ENCODERS.register_module()
class CLAPEncoder(TransformersEar):
    """CLAP (LAION; Wu et al., ICASSP 2023), trained to match sounds and their captions; 48 kHz.

    A second is repeated to the 10 s that the model was trained on, as its front end does with
    short sounds, and the vector is that of the space that its captions share, of all that is
    heard: one a second, also with more ``context_s`` (up to 10). A model of the fused kind is
    refused, as its front end draws at random.

    Arguments are those of :class:`TransformersEar`.
    """

    waveform_rate, published, model_types = 48_000, CLAP, ("clap", "clap_audio_model")
    config_class, model_class = "ClapAudioConfig", "ClapAudioModelWithProjection"
    front_end_class, width_field = "ClapFeatureExtractor", "projection_dim"
    mini = dict(
        spec_size=128, num_mel_bins=16, patch_size=4, patch_stride=[4, 4], window_size=4,
        patch_embeds_hidden_size=16, depths=[1, 1], num_attention_heads=[2, 2], hidden_size=32,
        projection_dim=64,
    )  # fmt: skip

    def front_end_fields(self, config: Any) -> dict[str, Any]:
        """Of the unfused model."""
        whole = dict(truncation="rand_trunc", padding="repeatpad", max_length_s=10)
        bands = dict(feature_size=config.num_mel_bins, frequency_min=50, frequency_max=14_000)
        return whole | bands

    def longest_s(self, front_end: Any, config: Any) -> float:
        """Of its front end."""
        return float(front_end.max_length_s)

    def _misfits(self, front_end: Any, config: Any) -> list[str]:
        found = super()._misfits(front_end, config)
        if config.enable_fusion or front_end.truncation == "fusion":
            found.append(f"it is of the fused kind, which draws at random; take {self.published}")
        return found

    def hidden(self, inputs: dict[str, Tensor]) -> Tensor:
        """One vector of each sound."""
        said: Tensor = self.network(**inputs).audio_embeds
        return torch.unsqueeze(said, 1)
