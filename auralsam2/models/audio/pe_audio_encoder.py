"""The audio encoder of Perception Encoder as an ear."""

from __future__ import annotations

from typing import Any

from auralsam2.models.audio.transformers_ear import TransformersEar
from auralsam2.registry import AUDIO_ENCODERS
from auralsam2.weight_files import PE_AUDIO


@AUDIO_ENCODERS.register_module()
class PEAudioEncoder(TransformersEar):
    """PE-Audio, trained to match sounds, videos and captions; 48 kHz.

    Its codec turns the second into 25 tokens, without padding; the vector is the mean of what its
    transformer makes of them. ``context_s`` may be any; its cost grows with it. The codec takes no
    gradient, also where the rest is tuned. Of a model that sees and reads as well, only the part
    that hears is built.

    Arguments are those of :class:`TransformersEar`.
    """

    waveform_rate, published = 48_000, PE_AUDIO
    model_types = ("pe_audio", "pe_audio_encoder", "pe_audio_video")
    config_class, model_class = "PeAudioEncoderConfig", "PeAudioEncoder"
    front_end_class = "PeAudioFeatureExtractor"
    mini = dict(
        dac_config=dict(encoder_hidden_size=4, hidden_size=32, codebook_dim=16),
        hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
        head_dim=32,
    )  # fmt: skip
    renamed = {r"^(audio_model\.)?audio_encoder\.": ""}
    unused = ("embedder.dac_encoder.", "embedder.bottleneck.")

    def front_end_fields(self, config: Any) -> dict[str, Any]:
        """Samples as they are, in whole steps of the codec."""
        return dict(hop_length=config.dac_config.hop_length)

    def tokens_a_second(self, config: Any) -> float:
        """One every step of the codec."""
        return float(self.waveform_rate / config.dac_config.hop_length)
