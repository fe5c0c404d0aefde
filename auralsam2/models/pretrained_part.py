"""Frozen models of transformers from a local folder, and the names that they are asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from torch import nn

from auralsam2.models.freezing import Freezable
from auralsam2.models.weights.folder import load_folder, of_transformers, reading
from auralsam2.weight_files import folder_problems

Names = Sequence[str] | str | os.PathLike[str]
StrPath = str | os.PathLike[str]


class PretrainedPart(Freezable):
    """A part of a model around a network of transformers, frozen; nothing is downloaded.

    Args:
        weights: folder of the model, with its config and its processor.
        classes: K names in order of their numbers, or a JSON file of them: a list, or name ->
            number as AVSBench's ``label2idx.json``, whose background (0) is left out.
        num_classes: K.

    Attributes:
        network: the model.
        processor: what turns pictures, sounds and words to its inputs.

    Raises:
        FileNotFoundError: where folder or names are missing, naming where they are published.
        ImportError: where transformers is missing.
        ValueError: where the folder holds another model, or there are not ``num_classes`` names.
    """

    frozen = True
    config_key: ClassVar[str]  # of the part in a config
    published: ClassVar[str]  # name of the published folder
    model_class: ClassVar[str]  # in transformers
    processor_class: ClassVar[str]

    def __init__(self, weights: StrPath | None, classes: Names | None, num_classes: int) -> None:
        super().__init__()
        if found := self.problems(weights, classes):
            raise FileNotFoundError("\n".join(found))
        assert weights is not None and classes is not None
        self.classes = class_names(classes)
        if len(self.classes) != num_classes:
            raise ValueError(
                f"{type(self).__name__}: classes are {len(self.classes)} names, but "
                f"model.num_classes is {num_classes}; the two must agree"
            )
        self.network, self.processor = self._load(Path(os.path.expanduser(weights)).resolve())
        self.freeze()

    @classmethod
    def problems(
        cls, weights: StrPath | None = None, classes: Names | None = None, **_: object
    ) -> list[str]:
        """What stands in the way of building, found without building."""
        found = folder_problems(weights, cls.published, f"{cls.config_key}.weights")
        named = classes is not None and not isinstance(classes, str | os.PathLike)
        if not named and (classes is None or not Path(os.path.expanduser(classes)).is_file()):
            found.append(
                f"no names of classes at '{classes}'; set `{cls.config_key}.classes` to AVSBench's "
                "label2idx.json or to a list of names"
            )
        return found

    def _load(self, folder: Path) -> tuple[nn.Module, Any]:
        name = type(self).__name__
        source = of_transformers(self.processor_class, name)
        with reading(folder, name):
            processor = source.from_pretrained(folder, local_files_only=True)
        model = of_transformers(self.model_class, name)
        return load_folder(model, folder, name, self.model_class), processor


def class_names(classes: Names) -> tuple[str, ...]:
    """Names in order of their numbers, from a list or a JSON file of them.

    Raises:
        ValueError: where the file holds neither a list nor numbers of names.
    """
    if not isinstance(classes, str | os.PathLike):
        return tuple(classes)
    path = Path(os.path.expanduser(classes))
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(read, Mapping):
            return tuple(name for name in sorted(read, key=read.__getitem__) if read[name] != 0)
        return tuple(map(str, read))
    except (ValueError, TypeError) as error:
        raise ValueError(f"'{path}' holds no names of classes: {error}") from error
