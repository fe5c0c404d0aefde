"""AVSBench: V1S, V1M and V2 of the semantic release, S4 and MS3 of the object release."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.datasets.avsbench_index import (
    NUM_FRAMES,
    OBJECT_LAYOUTS,
    SOUNDS,
    SUBSETS,
    ObjectIndex,
    SemanticIndex,
)
from auralsam2.data.datasets.clip_dataset import ClipDataset
from auralsam2.data.datasets.index import ClipFiles
from auralsam2.data.datasets.log_mel_pickle import read_log_mel
from auralsam2.data.datasets.semantic import FILE_NAME, read_class_map
from auralsam2.data.problems import DataError
from auralsam2.messages import unknown_values
from auralsam2.registry import DATASETS
from auralsam2.structures import NUM_EARS


@DATASETS.register_module()
class AVSBenchDataset(ClipDataset):
    """Clips of AVSBench with class-agnostic masks, in the layout of its semantic release.

    Every frame has a mask, but for training clips of ``v1s``: theirs is that of the first frame,
    the others are not supervised.

    What ends up in ``masks``:

    * ``label_rule="published"``: 1 where a label has any colour above black, else 0, also in
      frames without a label. White (255) is a colour like every other.
    * ``label_rule="released"``: 1 where the luminance of a label rounds to more than 0, else 0.
      With ``subset="v1s"`` alone, pure white stays 255, and frames without a label are 255 all
      over. It was meant as *ignore*, yet nothing ignores it: metrics count it as object, losses
      see a number that is neither 0 nor 1 and rely on ``supervised`` to leave such frames out.

    Args:
        root: folder that holds ``avss_index/metadata.csv``.
        subset: ``v1s``, ``v1m`` or ``v2``; several are read one after the other, as released for
            ``v2``: ``("v1s", "v1m", "v2")``. Clips of ``v1s`` and ``v1m`` have 5 frames, those of
            ``v2`` 10, so that a batch of several needs one subset.
        split: ``train``, ``val`` or ``test``.
        semantic: add ``semantic`` (T, S, S) uint8 to the items: the numbers of the 71 classes,
            from the colours of the labels and ``label2idx.json`` in ``root``; 255 in frames
            without a label. ``masks`` stay class-agnostic.
        settings: further ones, see :class:`ClipDataset`.

    Raises:
        FileNotFoundError: where there is no index, or no list of classes that is needed.
        DataError: listing every missing file of the split.
        ValueError: on unknown subsets, rules or interpolations.
    """

    def __init__(
        self,
        root: str,
        subset: str | Sequence[str] = "v1m",
        split: str = "train",
        semantic: bool = False,
        **settings: Any,
    ) -> None:
        self.subset, self.semantic = subset, semantic
        self.subsets = (subset,) if isinstance(subset, str) else tuple(subset)
        super().__init__(root, split, **settings)

    def setting_problems(self) -> list[str]:
        """Also subsets that are unknown or repeated."""
        problems = super().setting_problems()
        if set(self.subsets) - set(SUBSETS) or not self.subsets:
            problems.append(f"unknown subset={self.subset!r}; known: {', '.join(SUBSETS)}")
        elif len(set(self.subsets)) < len(self.subsets):
            problems.append(f"subset={self.subset!r}; state each subset once")
        return problems

    def read_index(self) -> list[ClipFiles]:
        """From ``avss_index/metadata.csv``, and the list of classes where it is needed."""
        index = SemanticIndex(self.root, self.subsets)
        self.name = index.split_name(self.split)
        self.label_source = f"avsbench-semantic/{'+'.join(self.subsets)}"
        self.keep_white = self.label_rule == "released" and self.subsets == ("v1s",)
        files = index.read(self.split, self.labelled)
        self.class_map = read_class_map(self.root) if self.semantic else None
        return files

    @staticmethod
    def frames_per_clip(subset: str | Sequence[str] = "v1m", **_: object) -> int:
        """T of the longest subset."""
        return max(NUM_FRAMES[s] for s in ((subset,) if isinstance(subset, str) else subset))

    def label_folder(self, index: int) -> Path:
        """``SUBSET/UID/labels_rgb``."""
        return self.files[index].audio.parent.relative_to(self.root) / "labels_rgb"

    @staticmethod
    def companions(root: str, semantic: bool = False, **_: object) -> list[Path]:
        """Files of the root that number the classes, which is no part of the fingerprint."""
        return [Path(os.path.expanduser(root)) / FILE_NAME] if semantic else []


@DATASETS.register_module()
class AVSBenchObjectDataset(ClipDataset):
    """Clips of 5 frames with class-agnostic masks, in the layout of AVSBench's object release.

    The object release and the semantic release hold the same clips, but not the same masks: state
    which one a number is of. Training clips of ``v1s`` have a mask of their first frame only. See
    :class:`AVSBenchDataset` for what ends up in ``masks``; white is an object here, whatever the
    rule, since these masks are white on black.

    Args:
        root: folder of the release, see :class:`ObjectIndex`.
        subset: ``v1s`` (``s4_data``) or ``v1m`` (``ms3_data``).
        split: ``train``, ``val`` or ``test``.
        audio: ``log_mel``: the pickled examples of the release, one channel given to every ear;
            ``wav``: examples computed from ``audio_wav``.
        settings: further ones, see :class:`ClipDataset`.

    Raises:
        FileNotFoundError: where there is no index.
        DataError: listing every missing file of the split.
        ValueError: on an unknown subset, sound, rule or interpolation.
    """

    def __init__(
        self,
        root: str,
        subset: str = "v1m",
        split: str = "train",
        audio: str = "log_mel",
        **settings: Any,
    ) -> None:
        self.subset, self.audio = subset, audio
        super().__init__(root, split, **settings)

    def setting_problems(self) -> list[str]:
        """Also an unknown subset or sound."""
        return super().setting_problems() + unknown_values(
            subset=(self.subset, OBJECT_LAYOUTS), audio=(self.audio, SOUNDS)
        )

    def read_index(self) -> list[ClipFiles]:
        """From ``s4_meta_data.csv`` or ``ms3_meta_data.csv``."""
        index = ObjectIndex(self.root, self.subset, self.audio)
        self.name = index.split_name(self.split)
        self.sources_are_classes = index.layout.category is not None
        self.label_source = f"avsbench-object/{index.layout.name}"
        return index.read(self.split, self.labelled)

    def label_folder(self, index: int) -> Path:
        """``s4_data/gt_masks/SPLIT/CATEGORY/UID`` or ``ms3_data/gt_masks/SPLIT/UID``."""
        clip, (heard, _) = self.files[index], SOUNDS[self.audio]
        parts = clip.audio.parent.relative_to(self.root).parts
        return Path(*("gt_masks" if part == heard else part for part in parts), clip.uid)

    def _log_mel(self, clip: ClipFiles) -> NDArray[np.float32]:
        if self.audio == "log_mel":
            if self.waveform_rate is not None:
                raise DataError(
                    f"'{clip.audio}' holds log-mels, and the audio encoder hears samples, "
                    f"{self.waveform_rate} a second: take the recordings (audio='wav'), or an "
                    "encoder that hears log-mels, such as VGGish"
                )
            return read_log_mel(clip.audio, len(clip.frames), NUM_EARS[self.channels])
        return super()._log_mel(clip)
