"""A promptable model of transformers, from a local folder, as a component."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from auralsam2.models.backbones.hooked.network import HookedNetwork
from auralsam2.models.backbones.promptable import PromptableBackbone
from auralsam2.models.weights.folder import (
    check_size,
    load_folder,
    of_transformers,
    random_model,
    reading,
)
from auralsam2.weight_files import folder_problems

INSTALL = "pip install 'auralsam2[backbones]'"
"""What brings transformers in a version that has these models, and timm."""
CONFIG_KEY = "model.backbone.checkpoint"
MINI_CHANNELS = 128
"""C of the small builds, that of sam2-mini."""
MINI_DECODER = dict(hidden_size=MINI_CHANNELS, mlp_dim=256, iou_head_hidden_dim=64)
MINI_MEMORY = dict(
    memory_attention_hidden_size=MINI_CHANNELS,
    memory_attention_num_layers=2,
    memory_encoder_hidden_size=MINI_CHANNELS,
    mask_downsampler_embed_dim=MINI_CHANNELS,
    memory_fuser_embed_dim=MINI_CHANNELS,
    memory_fuser_intermediate_dim=256,
)
Fields = Mapping[str, Any]


class HookedBackbone(PromptableBackbone):
    """A promptable model of transformers, frozen and in eval mode unless asked otherwise.

    Nothing is downloaded. A subclass names the classes of transformers and states its builds.

    Args:
        checkpoint: folder of the model, with its ``config.json`` and its weights.
        image_size: S, side of the square input in pixels; default: as the weights were trained.
        frozen: no gradient into the network's parameters, but for those that a method asks to
            train.
        random_weights: go without a checkpoint, for tests and dry runs; they are the same ones
            every time.
        size: of random weights: ``mini``, a few million parameters, or ``published``. A checkpoint
            says its own.

    Attributes:
        size_multiple: S is a multiple of it.
        has_memory: whether a frame can see those before it.
        num_levels: of the pyramid.
        pixel_statistics: mean and standard deviation of RGB on the 0..255 scale that frames are
            normalised with; without them SAM2's.

    Raises:
        FileNotFoundError: where the folder does not exist, before anything is built.
        ImportError: where a library is missing.
        ValueError: on an unknown size, a side that does not divide, or weights that do not fit.
    """

    size_multiple: ClassVar[int]
    has_memory: ClassVar[bool] = True
    num_levels: ClassVar[int] = 3
    published: ClassVar[str]  # name of the published folder
    model_class: ClassVar[str]  # in transformers
    config_class: ClassVar[str]
    network_class: ClassVar[type[HookedNetwork]]
    mini: ClassVar[Fields]  # fields of the small build's config
    real: ClassVar[Fields] = {}  # of the published one's, where it is not the class's default

    def __init__(
        self,
        checkpoint: str | os.PathLike[str] | None = None,
        image_size: int | None = None,
        frozen: bool = True,
        random_weights: bool = False,
        size: str = "mini",
    ) -> None:
        name = type(self).__name__
        if found := self.problems(checkpoint, random_weights):
            wrong = checkpoint is None or random_weights
            raise (ValueError if wrong else FileNotFoundError)("\n".join(found))
        check_size(size, name)
        if image_size is not None and (image_size <= 0 or image_size % self.size_multiple):
            raise ValueError(
                f"{name}: image_size must be a multiple of {self.size_multiple}, got {image_size}"
            )
        model = self._build(checkpoint, image_size, size)
        super().__init__(self.network_class(model), frozen)

    @classmethod
    def problems(
        cls,
        checkpoint: str | os.PathLike[str] | None = None,
        random_weights: bool = False,
        **_: object,
    ) -> list[str]:
        """What stands in the way of building, found without building."""
        if random_weights:
            both = f"{cls.__name__} got both {checkpoint=} and random_weights=True"
            return [] if checkpoint is None else [both]
        aside = " (or set `model.backbone.random_weights` to True to go without, on purpose)"
        return folder_problems(checkpoint, cls.published, CONFIG_KEY, aside)

    def _build(self, checkpoint: Any, image_size: int | None, size: str) -> Any:
        name = type(self).__name__
        source = of_transformers(self.config_class, name, INSTALL)
        model = of_transformers(self.model_class, name, INSTALL)
        self._check_libraries()
        if checkpoint is None:
            config = source(**(self.mini if size == "mini" else self.real))
            self._resize(config, image_size or self._side(config))
            return random_model(model, config)
        folder = Path(os.path.expanduser(checkpoint)).resolve()
        with reading(folder, name):
            config = self._read_config(source, folder)
        if image_size is not None and image_size != self._side(config):
            self._refit(config, image_size)
        return load_folder(model, folder, name, self.model_class, config=config)

    def _check_libraries(self) -> None:
        """Raise an ImportError where a library besides transformers is missing."""

    def _read_config(self, source: Any, folder: Path) -> Any:
        return source.from_pretrained(folder, local_files_only=True)

    def _side(self, config: Any) -> int:
        """S of a config."""
        return int(config.prompt_encoder_config.image_size)

    @abstractmethod
    def _resize(self, config: Any, side: int) -> None:
        """Set S in all parts of a config.

        Raises:
            ValueError: where its model cannot have this side.
        """

    def _refit(self, config: Any, side: int) -> None:
        """:meth:`_resize` of a config whose weights are loaded."""
        self._resize(config, side)
