"""RoBERTa, the text encoder of the published Ref-AVS model."""

from __future__ import annotations

import os
from pathlib import Path

from auralsam2.models.text.pretrained import NUM_TOKENS, PretrainedText
from auralsam2.registry import TEXT_ENCODERS
from auralsam2.weight_files import TEXT_MODEL, TEXT_SOURCE

PUBLISHED = (
    f"the published model is {TEXT_MODEL}, from {TEXT_SOURCE}: download its folder (config.json, "
    "model.safetensors, tokenizer files) and set `model.text_encoder.weights` to its path; "
    "MiniLMText needs no download"
)


@TEXT_ENCODERS.register_module()
class RobertaText(PretrainedText):
    """Last hidden states of a frozen RoBERTa, a fixed number of tokens an expression.

    As released, expressions are padded and cut to 25 tokens and the padding's states are handed
    on like the others.

    Args:
        weights: folder of the model and its tokenizer; never downloaded.
        num_tokens: K, tokens of every expression.
        frozen: no gradient, always in eval mode.
        cache: read each expression once in a process, where frozen.
        mask_padding: set the states of padding tokens to zero, see :class:`TextEncoder`.

    Attributes:
        out_channels: D.

    Raises:
        FileNotFoundError: where the folder does not exist, before anything is built.
        ImportError: naming the extra to install where transformers is missing.
    """

    def __init__(
        self,
        weights: str | os.PathLike[str] | None = None,
        num_tokens: int = NUM_TOKENS,
        frozen: bool = True,
        cache: bool = True,
        mask_padding: bool = False,
    ) -> None:
        problems = self.problems(weights)
        if problems:
            raise FileNotFoundError(problems[0])
        assert weights is not None
        super().__init__(weights, num_tokens, frozen, cache, mask_padding)

    @staticmethod
    def problems(weights: str | os.PathLike[str] | None = None, **_: object) -> list[str]:
        """What stands in the way of building, found without building."""
        if weights is None:
            return [f"RobertaText got weights=None; {PUBLISHED}"]
        if not (Path(weights).expanduser() / "config.json").is_file():
            return [f"no text model at '{os.fspath(weights)}' (no config.json there); {PUBLISHED}"]
        return []
