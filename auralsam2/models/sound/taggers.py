"""Sound taggers of transformers: CLAP, which is asked for names, and AST, which knows AudioSet's.

Axes: B clips, T frames, K classes, L samples.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from auralsam2.messages import unknown_name
from auralsam2.models.pretrained_part import PretrainedPart
from auralsam2.models.sound.base import SoundClassifier
from auralsam2.registry import SOUND_CLASSIFIERS
from auralsam2.structures import Waveform
from auralsam2.weight_files import AST, CLAP

TINY = 1e-6


class Tagger(PretrainedPart, SoundClassifier):
    """Hears waveforms, which the data set ``WithWaveform`` gives.

    Args:
        num_classes: K.
        weights: folder of the model, see :class:`PretrainedPart`.
        classes: names or a file of them, see :class:`PretrainedPart`.
        whole_clip: one answer for all seconds of a clip, as AL-Ref-SAM2 asks; off, each second is
            heard alone, as in SAM4AVS.
    """

    config_key = "model.sound_classifier"
    rate: ClassVar[int]  # samples a second that it was trained with

    def __init__(
        self,
        num_classes: int,
        weights: str | os.PathLike[str] | None = None,
        classes: Sequence[str] | str | os.PathLike[str] | None = None,
        whole_clip: bool = False,
    ) -> None:
        super().__init__(weights, classes, num_classes)
        self.whole_clip = whole_clip

    @torch.no_grad()
    def forward(
        self,
        log_mel: Tensor,
        clip: Sequence[str],
        waveform: Sequence[Waveform] | None = None,
    ) -> Tensor:
        """Logits of every second, (B, T, K).

        Raises:
            ValueError: where the items have no waveform.
        """
        if waveform is None:
            raise ValueError(
                f"{type(self).__name__} hears waveforms, which these items lack; wrap each data "
                "set: dict(type='WithWaveform', dataset=dict(...))"
            )
        num_frames = log_mel.shape[1]
        return torch.stack([self._clip(sound, num_frames) for sound in waveform]).to(log_mel.device)

    def _clip(self, sound: Waveform, num_frames: int) -> Tensor:
        samples = sound.at(self.rate)[: num_frames * self.rate]
        if self.whole_clip:
            return self.tag([samples]).expand(num_frames, -1)
        return self.tag(seconds(samples, self.rate, num_frames))

    @abstractmethod
    def tag(self, sounds: Sequence[Tensor]) -> Tensor:
        """N sounds (L,) at ``rate`` -> (N, K) logits."""

    def _features(self, extractor: Any, sounds: Sequence[Tensor]) -> dict[str, Tensor]:
        arrays = [sound.cpu().numpy() for sound in sounds]
        batch = extractor(arrays, sampling_rate=self.rate, return_tensors="pt")
        device = next(self.network.parameters()).device
        return {key: value.to(device) for key, value in batch.items()}


def seconds(samples: Tensor, rate: int, num_frames: int) -> list[Tensor]:
    """T sounds of one second; the last whole one is repeated where a clip is short."""
    padded = F.pad(samples, (0, max(0, rate - len(samples))))
    whole = min(num_frames, len(padded) // rate)
    cut = list(padded[: whole * rate].split(rate))
    return cut + [cut[-1]] * (num_frames - whole)


@SOUND_CLASSIFIERS.register_module()
class CLAPTagger(Tagger):
    """CLAP (LAION; Wu et al., ICASSP 2023), frozen, asked for the names of the classes.

    Probabilities are the softmax over all classes of the scaled cosines. Of a sound longer than
    the model hears (10 seconds), it hears the beginning.

    Arguments are those of :class:`Tagger`.
    """

    published, rate = CLAP, 48_000
    model_class, processor_class = "ClapModel", "ClapProcessor"

    def __init__(self, num_classes: int, **shared: Any) -> None:
        super().__init__(num_classes, **shared)
        words = self.processor.tokenizer(list(self.classes), padding=True, return_tensors="pt")
        with torch.no_grad():
            text = self.network.text_projection(self.network.text_model(**words).pooler_output)
        self.register_buffer("names", F.normalize(text), persistent=False)

    def tag(self, sounds: Sequence[Tensor]) -> Tensor:
        """See :meth:`Tagger.tag`."""
        extractor = self.processor.feature_extractor
        # Of a longer sound the extractor would draw a piece.
        cut = [sound[: extractor.nb_max_samples] for sound in sounds]
        features = self._features(extractor, cut)
        heard = self.network.audio_projection(self.network.audio_model(**features).pooler_output)
        cosine = F.normalize(heard) @ self.names.T
        probability = (cosine * self.network.logit_scale_a.exp()).softmax(dim=-1)
        return torch.logit(probability, eps=TINY)


@SOUND_CLASSIFIERS.register_module()
class ASTTagger(Tagger):
    """Audio spectrogram transformer (Gong et al., Interspeech 2021), frozen.

    The classes are some of the labels that its config names, AudioSet's in the published model.

    Arguments are those of :class:`Tagger`.

    Raises:
        ValueError: naming classes that are none of its labels.
    """

    published, rate = AST, 16_000
    model_class, processor_class = "ASTForAudioClassification", "ASTFeatureExtractor"

    def __init__(self, num_classes: int, **shared: Any) -> None:
        super().__init__(num_classes, **shared)
        labels = self.network.config.label2id
        unknown = [unknown_name("label", n, labels) for n in self.classes if n not in labels]
        if unknown:
            raise ValueError("ASTTagger: " + "\n".join(unknown[:3]))
        self.columns = [labels[name] for name in self.classes]

    def tag(self, sounds: Sequence[Tensor]) -> Tensor:
        """See :meth:`Tagger.tag`."""
        logits: Tensor = self.network(**self._features(self.processor, sounds)).logits
        return logits[:, self.columns]
