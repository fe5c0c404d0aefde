"""WavLM and HuBERT as ears: transformers over convolutions of the samples themselves."""

from __future__ import annotations

from math import prod
from typing import Any

from auralsam2.models.audio.transformers_ear import TransformersEar
from auralsam2.registry import AUDIO_ENCODERS
from auralsam2.weight_files import HUBERT, WAVLM


class SpeechEncoder(TransformersEar):
    """A model of the wav2vec 2.0 family, trained on masked speech without labels; 16 kHz.

    It hears sounds of any length: the second alone is what it is given, nothing is padded, and the
    vector is the mean of its 49 tokens. ``context_s`` may be any; its cost grows with it.

    Arguments are those of :class:`TransformersEar`.
    """

    waveform_rate, front_end_class = 16_000, "Wav2Vec2FeatureExtractor"
    mini = dict(
        conv_dim=[32] * 7, hidden_size=64, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=128, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4,
    )  # fmt: skip
    # Stands for what is masked while the model itself is trained.
    unused = ("masked_spec_embed",)

    def front_end_fields(self, config: Any) -> dict[str, Any]:
        """Samples of mean 0 and variance 1 where its convolutions do not normalise themselves."""
        return dict(do_normalize=config.feat_extract_norm == "layer")

    def tokens_a_second(self, config: Any) -> float:
        """One every stride of its convolutions."""
        return float(self.waveform_rate / prod(config.conv_stride))


@AUDIO_ENCODERS.register_module()
class WavLMEncoder(SpeechEncoder):
    """WavLM (Chen et al., JSTSP 2022), see :class:`SpeechEncoder`; trained on overlaid speech."""

    published, model_types = WAVLM, ("wavlm",)
    config_class, model_class = "WavLMConfig", "WavLMModel"


@AUDIO_ENCODERS.register_module()
class HuBERTEncoder(SpeechEncoder):
    """HuBERT (Hsu et al., TASLP 2021), see :class:`SpeechEncoder`."""

    published, model_types = HUBERT, ("hubert",)
    config_class, model_class = "HubertConfig", "HubertModel"
