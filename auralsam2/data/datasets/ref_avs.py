"""Ref-AVS: clips with an expression that refers to an object by sight and sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from auralsam2.data.datasets.clip_dataset import ClipDataset, setting_problems
from auralsam2.data.datasets.index import ClipFiles
from auralsam2.data.datasets.ref_index import SPLITS, read_expressions
from auralsam2.data.resizing import Resizing
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
        image_size: S, side in pixels to which frames and masks are resized; the aspect ratio is
            not kept, as in SAM2.
        audio_rule: how log-mel examples are cut, see :func:`log_mel_examples`.
        cache: keep decoded clips in memory; ``None`` keeps them where all of them fit into 1 GiB.
        label_rule: ``published``, any colour above black is object, or ``released``, a luminance
            above 0.
        frame_interpolation: ``bilinear`` or ``bicubic``; released: bicubic to test.
        mask_interpolation: ``nearest`` or ``bilinear``; released: bilinear to train.
        transforms: nodes of clip transforms, for training.
        seed: of the transforms.
        log_mel_cache: folder that keeps log-mel examples across runs, see :class:`LogMelCache`.

    Raises:
        FileNotFoundError: where there is no index.
        DataError: listing every missing file of the split.
        ValueError: on an unknown split, rule or interpolation.
    """

    sources_are_classes = False

    def __init__(
        self,
        root: str,
        split: str = "train",
        image_size: int = 1024,
        audio_rule: str = "published",
        cache: bool | None = None,
        label_rule: str = "published",
        frame_interpolation: str = "bilinear",
        mask_interpolation: str = "nearest",
        transforms: Sequence[Mapping[str, Any]] = (),
        seed: int = 0,
        log_mel_cache: str | None = None,
    ) -> None:
        self.split = split
        resizing = Resizing(image_size, frame_interpolation, mask_interpolation)
        problems = setting_problems(resizing, audio_rule, label_rule)
        if split not in SPLITS:
            problems.append(f"{split=}; known: {', '.join(SPLITS)}")
        if problems:
            raise ValueError("RefAVSDataset got " + "\nand ".join(problems))
        folder = Path(root).expanduser()
        self.expressions, files = read_expressions(folder, split)
        self._rows = {e.uid: f"{e.uid}:{e.video}:{e.fid}:{e.text}" for e in self.expressions}
        super().__init__(
            f"ref_avs/{split}",
            folder,
            files,
            resizing=resizing,
            transforms=transforms,
            seed=seed,
            audio_rule=audio_rule,
            label_rule=label_rule,
            keep_white=False,
            cache=cache,
            label_source="ref-avs",
            log_mel_cache=log_mel_cache,
        )

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One expression: the clip's item, and ``text``, its words."""
        return {**super().__getitem__(index), "text": self.expressions[index].text}

    def _row(self, clip: ClipFiles) -> str:
        return self._rows[clip.uid]
