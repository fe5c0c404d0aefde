"""Text encoders from a folder of transformers, a model and its tokenizer; never downloaded."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from auralsam2.models.text.encoder import TextEncoder
from auralsam2.models.text.text_cache import TokenStates
from auralsam2.models.weights.coverage import Coverage
from auralsam2.models.weights.loading import load_weights, misfit, note_coverage
from auralsam2.models.weights.reading import check_whole, read_state, unreadable

INSTALL = "pip install 'auralsam2[text]'"
FILES = ("model.safetensors", "pytorch_model.bin")
WORDS = ("config.json", "tokenizer.json", "vocab.json", "vocab.txt", "merges.txt")
POOLER = "pooler."
"""Reads the hidden states that are handed on, so that it may be random."""
HEADS = ("lm_head.", "cls.", "classifier.", "embeddings.position_ids")
"""Of the task that a model was trained for; not needed."""
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
        ValueError: where the folder's files are damaged, or their weights do not fit its config.
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
        try:
            self._check_files()
            self.tokenizer: Any = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
            with _without_progress_bar():
                self.network, info = AutoModel.from_pretrained(
                    self.folder,
                    local_files_only=True,
                    add_pooling_layer=True,
                    output_loading_info=True,
                    ignore_mismatched_sizes=True,  # told below, with all else that does not fit
                )
        except Exception as error:  # transformers lets through whatever its readers raise
            reason = str(error) if isinstance(error, ValueError) else unreadable(self.folder, error)
            raise ValueError(f"{name}: {reason}") from error
        self._settle_weights(info)
        self.network = self.network.float()
        self.out_channels = int(self.network.config.hidden_size)
        self.freeze()

    def _weight_file(self) -> Path:
        """The file that transformers reads; the folder where weights lie in several."""
        return next((self.folder / f for f in FILES if (self.folder / f).is_file()), self.folder)

    def _check_files(self) -> None:
        """Read the files before transformers does, whose errors may advise to run their code."""
        for file in (self.folder / name for name in WORDS):
            if file.is_file():
                check_whole(file)
        if self._weight_file().is_file():
            read_state(self._weight_file())

    def _settle_weights(self, info: Mapping[str, Any]) -> None:
        """Refuse what transformers would leave random; take wrappers off that it does not know."""
        lacking = [*info["missing_keys"], *(key for key, *_ in info["mismatched_keys"])]
        missing = [key for key in lacking if not key.startswith(POOLER)]
        path = self._weight_file()
        what = f"the text model that '{self.folder / 'config.json'}' describes"
        if not missing:
            own = [key for key in self.network.state_dict() if not key.startswith(POOLER)]
            note_coverage(self.network, path, Coverage(tuple(own)))
            return
        if path == self.folder:
            raise ValueError(misfit(path, what, Coverage((), tuple(missing))))
        load_weights(
            self.network,
            path,
            what=what,
            unused=HEADS,
            optional=(POOLER,),
            wrappers=(self.network.base_model_prefix,),
        )

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
