"""Text encoders from a folder of transformers, a model and its tokenizer; never downloaded."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from auralsam2.models.text.encoder import TextEncoder
from auralsam2.models.text.text_cache import TokenStates

INSTALL = "pip install 'auralsam2[text]'"
NUM_TOKENS = 25
"""Tokens to which the released code pads and cuts every expression."""


class PretrainedText(TextEncoder):
    """Last hidden states of a transformers model, padded and cut to ``num_tokens``.

    Args:
        folder: of the model and its tokenizer.
        num_tokens: K, tokens of every expression.
        frozen: see :class:`TextEncoder`.
        cache: see :class:`TextEncoder`.
        mask_padding: see :class:`TextEncoder`.

    Raises:
        ImportError: naming the extra to install where transformers is missing.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        num_tokens: int = NUM_TOKENS,
        frozen: bool = True,
        cache: bool = True,
        mask_padding: bool = False,
    ) -> None:
        super().__init__(frozen, cache, mask_padding)
        name = type(self).__name__
        try:
            from transformers import AutoModel, AutoTokenizer
        except ImportError as error:
            raise ImportError(f"{name} needs transformers: {INSTALL}") from error
        self.folder, self.num_tokens = Path(folder).expanduser().resolve(), num_tokens
        self.tokenizer: Any = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
        with _without_progress_bar():
            self.network = AutoModel.from_pretrained(
                self.folder, local_files_only=True, add_pooling_layer=True
            ).float()
        self.out_channels = int(self.network.config.hidden_size)
        self.freeze()

    def encode(self, text: list[str]) -> TokenStates:
        """B expressions -> states (B, K, D) and where they are words (B, K)."""
        batch = self.tokenizer(
            text,
            padding="max_length",
            truncation=True,
            max_length=self.num_tokens,
            return_tensors="pt",
        ).to(next(self.network.parameters()).device)
        return TokenStates(self.network(**batch).last_hidden_state, batch["attention_mask"].bool())

    def identity(self) -> Hashable:
        """The folder, which holds the tokenizer, and K."""
        return self.folder, self.num_tokens


@contextmanager
def _without_progress_bar() -> Iterator[None]:
    """Keep the bar of a half-second load out of the bars of a grid."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
