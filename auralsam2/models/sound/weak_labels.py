"""Learning what each second sounds like from what is said about the clip and seen in the frames.

Axes: B clips, T seconds, K classes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

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
