"""The contract of a sound classifier: log-mel to the classes that are heard in each second."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn


class SoundClassifier(nn.Module, ABC):
    """Say for each second which of K classes is heard; several may be, or none.

    A subclass registers itself in ``SOUND_CLASSIFIERS``. Its constructor may take ``num_classes``
    (K), given by the model, and own keywords.
    """

    @abstractmethod
    def forward(self, log_mel: Tensor, clip: Sequence[str]) -> Tensor:
        """Listen to B clips.

        Args:
            log_mel: (B, T, 2, 96, 64).
            clip: B names.

        Returns:
            (B, T, K) logits, each class on its own; a sigmoid gives its probability.
        """
