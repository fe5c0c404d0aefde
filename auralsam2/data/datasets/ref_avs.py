"""Ref-AVS: clips with an expression that refers to an object by sight and sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from auralsam2.data.datasets.clip_dataset import ClipDataset
from auralsam2.data.datasets.index import ClipFiles
from auralsam2.data.datasets.ref_index import NUM_FRAMES, SPLITS, RefIndex
from auralsam2.messages import unknown_values
from auralsam2.registry import DATASETS


@DATASETS.register_module()
class RefAVSDataset(ClipDataset):
    """One item an expression; expressions of one video share its frames and sound.

    Null expressions refer to nothing that is shown: their masks are empty, all frames are
    supervised, and no mask folder is read. Labels are read as by :class:`AVSBenchDataset`; 255
    has no meaning of its own.

    Attributes:
        expressions: name, video, object and words of every item.

    Args:
        root: folder that holds ``metadata.csv``, ``media/`` and ``gt_mask/``.
        split: ``train``, ``val`` (where the index has it), ``test_s`` (seen objects), ``test_u``
            (unseen) or ``test_n`` (null).
        settings: further ones, see :class:`ClipDataset`.

    Raises:
        FileNotFoundError: where there is no index.
        DataError: listing every missing file of the split.
        ValueError: on an unknown split, rule or interpolation.
    """

    sources_are_classes = False
    label_source = "ref-avs"

    def setting_problems(self) -> list[str]:
        """Also an unknown split."""
        return super().setting_problems() + unknown_values(split=(self.split, SPLITS))

    def read_index(self) -> list[ClipFiles]:
        """From ``metadata.csv``."""
        index = RefIndex(self.root)
        self.name = index.split_name(self.split)
        self.expressions = index.expressions(self.split)
        return index.read(self.split, self.labelled)

    @staticmethod
    def frames_per_clip(**_: object) -> int:
        """T as published."""
        return NUM_FRAMES

    def label_folder(self, index: int) -> Path:
        """``gt_mask/VIDEO/fid_N/UID``: expressions of one object are answered one by one."""
        said = self.expressions[index]
        return Path("gt_mask", said.video, f"fid_{said.fid}", said.uid)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One expression: the clip's item, and ``text``, its words."""
        return {**super().__getitem__(index), "text": self.expressions[index].text}
