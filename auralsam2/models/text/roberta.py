"""RoBERTa through transformers; the only importer of that library."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from auralsam2.registry import TEXT_ENCODERS
from auralsam2.weight_files import TEXT_MODEL, TEXT_SOURCE

PUBLISHED = (
    f"the published model is {TEXT_MODEL}, from {TEXT_SOURCE}: download its folder (config.json, "
    "model.safetensors, tokenizer files) and set `model.text_encoder.weights` to its path"
)


@TEXT_ENCODERS.register_module()
class RobertaText(nn.Module):
    """Last hidden states of a frozen RoBERTa, a fixed number of tokens an expression.

    As released, expressions are padded and cut to 25 tokens and the padding's states are handed
    on like the others.

    Args:
        weights: folder of the model and its tokenizer; never downloaded.
        num_tokens: K, tokens of every expression.
        frozen: no gradient, always in eval mode.

    Attributes:
        out_channels: D.

    Raises:
        FileNotFoundError: where the folder does not exist, before anything is built.
        ImportError: naming the extra to install where transformers is missing.
    """

    def __init__(
        self,
        weights: str | os.PathLike[str] | None = None,
        num_tokens: int = 25,
        frozen: bool = True,
    ) -> None:
        super().__init__()
        problems = self.problems(weights)
        if problems:
            raise FileNotFoundError(problems[0])
        assert weights is not None
        folder = Path(weights).expanduser()
        try:
            from transformers import AutoModel, AutoTokenizer
        except ImportError as error:
            raise ImportError(
                "RobertaText needs transformers: pip install auralsam2[text]"
            ) from error
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.network = AutoModel.from_pretrained(
            folder, local_files_only=True, add_pooling_layer=True
        ).float()
        self.num_tokens, self.frozen = num_tokens, frozen
        self.out_channels = int(self.network.config.hidden_size)
        self.network.requires_grad_(not frozen)
        self.train(self.training)

    @staticmethod
    def problems(weights: str | os.PathLike[str] | None = None, **_: object) -> list[str]:
        """What stands in the way of building, found without building."""
        if weights is None:
            return [f"RobertaText got weights=None; {PUBLISHED}"]
        if not (Path(weights).expanduser() / "config.json").is_file():
            return [f"no text model at '{os.fspath(weights)}' (no config.json there); {PUBLISHED}"]
        return []

    def train(self, mode: bool = True) -> RobertaText:
        """Switch the mode; a frozen network stays in eval mode."""
        super().train(mode)
        if self.frozen:
            self.network.eval()
        return self

    def forward(self, text: Sequence[str]) -> Tensor:
        """B expressions -> (B, K, D)."""
        batch = self.tokenizer(
            list(text),
            padding="max_length",
            truncation=True,
            max_length=self.num_tokens,
            return_tensors="pt",
        ).to(next(self.network.parameters()).device)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            states: Tensor = self.network(**batch).last_hidden_state
        return states
