"""The contract of a sound classifier, log-mel to the classes of each second, and its loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2.structures import Waveform


class SoundClassifier(nn.Module, ABC):
    """Say for each second which of K classes is heard; several may be, or none.

    A subclass registers itself in ``SOUND_CLASSIFIERS``. Its constructor may take ``num_classes``
    (K), given by the model, and own keywords.
    """

    @abstractmethod
    def forward(
        self,
        log_mel: Tensor,
        clip: Sequence[str],
        waveform: Sequence[Waveform] | None = None,
    ) -> Tensor:
        """Listen to B clips.

        Args:
            log_mel: (B, T, A, 96, 64).
            clip: B names.
            waveform: of B clips, where the data give them, for classifiers with an ear of their
                own, see the data set ``WithWaveform``.

        Returns:
            (B, T, K) logits, each class on its own; a sigmoid gives its probability.
        """


TINY = 1e-6


def sound_loss(logits: Tensor, sources: Tensor, seen: Tensor, supervised: Tensor) -> Tensor:
    """Supervise a sound classifier without labels of single seconds.

    * A class that the clip's index row does not name is silent in all its seconds.
    * A named one sounds in at least one: cross-entropy of 1 - prod_t (1 - p_t), the noisy-or of
      multiple instance learning.
    * In a second whose frame is supervised, a named class sounds where the detector saw an object
      of it inside the mask of what sounds.

    Args:
        logits: (B, T, K).
        sources: (B, K) in {0, 1}, classes named for the clip.
        seen: (B, T, K) in [0, 1], from the detector.
        supervised: (B, T) bool.

    Returns:
        A scalar, the mean over clips and classes of the three terms' sum.
    """
    seen = seen.detach().to(logits.dtype)
    named = sources.to(logits.dtype)[:, None]
    quiet = F.logsigmoid(-logits)
    absent = (1 - named) * -quiet
    told = F.binary_cross_entropy_with_logits(logits, seen, reduction="none")
    told = named * told * supervised[..., None]
    # The last second that could be the one must not be pushed beyond what floats can tell.
    nowhere = quiet.sum(dim=1).clamp(max=-TINY)
    bag = sources * -torch.log(-torch.expm1(nowhere))
    return (absent.mean(dim=1) + told.mean(dim=1) + bag).mean()
