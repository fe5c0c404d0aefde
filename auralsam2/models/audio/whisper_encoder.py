"""Whisper's encoder as an ear."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from auralsam2.models.audio.transformers_ear import TransformersEar
from auralsam2.models.weights.folder import of_transformers
from auralsam2.registry import AUDIO_ENCODERS
from auralsam2.weight_files import WHISPER

TOKENS_A_SECOND = 50


@AUDIO_ENCODERS.register_module()
class WhisperEncoder(TransformersEar):
    """The encoder of Whisper (Radford et al., ICML 2023), trained to write speech down; 16 kHz.

    A second is followed by silence up to the 30 s that the model wants, as its front end does with
    short recordings; the vector is the mean of the second's 50 tokens. ``context_s`` goes up to 30
    at the same cost. The decoder is neither built nor read.

    Arguments are those of :class:`TransformersEar`.
    """

    waveform_rate, published, model_types = 16_000, WHISPER, ("whisper",)
    config_class, model_class = "WhisperConfig", "WhisperModel"
    front_end_class, width_field = "WhisperFeatureExtractor", "d_model"
    mini = dict(
        d_model=64, encoder_layers=2, encoder_attention_heads=2, encoder_ffn_dim=128,
        num_mel_bins=40, max_source_positions=TOKENS_A_SECOND,
    )  # fmt: skip
    real = dict(d_model=512, encoder_layers=6, encoder_attention_heads=8, encoder_ffn_dim=2048)
    renamed = {r"^(model\.)?encoder\.": ""}

    def _kind(self) -> Any:
        whole = of_transformers(self.model_class, type(self).__name__)
        return import_module(whole.__module__).WhisperEncoder  # the package leaves it out

    def front_end_fields(self, config: Any) -> dict[str, Any]:
        """As long as its position embeddings."""
        length = config.max_source_positions // TOKENS_A_SECOND
        return dict(feature_size=config.num_mel_bins, chunk_length=length)

    def longest_s(self, front_end: Any, config: Any) -> float:
        """Of its position embeddings."""
        return float(config.max_source_positions / TOKENS_A_SECOND)

    def tokens_a_second(self, config: Any) -> float:
        """One every two rows of its spectrogram."""
        return TOKENS_A_SECOND
