"""AVSBench in the layout of its object release: S4 (V1S) and MS3 (V1M)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.datasets.clip_dataset import ClipDataset, setting_problems
from auralsam2.data.datasets.index import ClipFiles
from auralsam2.data.datasets.log_mel_pickle import read_log_mel
from auralsam2.data.datasets.object_index import LAYOUTS, SOUNDS, read_object_index
from auralsam2.data.resizing import Resizing
from auralsam2.registry import DATASETS


@DATASETS.register_module()
class AVSBenchObjectDataset(ClipDataset):
    """Clips of 5 frames with class-agnostic masks.

    The object release and the semantic release hold the same clips, but not the same masks: state
    which one a number is of. Training clips of ``v1s`` have a mask of their first frame only. See
    :class:`AVSBenchDataset` for what ends up in ``masks``; white is an object here, whatever the
    rule, since these masks are white on black.

    Args:
        root: folder of the release, see :func:`read_object_index`.
        subset: ``v1s`` (``s4_data``) or ``v1m`` (``ms3_data``).
        split: ``train``, ``val`` or ``test``.
        image_size: S, side in pixels to which frames and masks are resized; the aspect ratio is
            not kept, as in SAM2.
        audio: ``log_mel``: the pickled examples of the release, one channel given to both ears;
            ``wav``: examples computed from ``audio_wav``.
        audio_rule: how examples are cut from ``wav``, see :func:`log_mel_examples`.
        cache: keep decoded clips in memory; ``None`` keeps them where all of them fit into 1 GiB.
        label_rule: ``published``, any colour above black is object, or ``released``, a luminance
            above 0.
        frame_interpolation: ``bilinear`` or ``bicubic``.
        mask_interpolation: ``nearest`` or ``bilinear``.
        transforms: nodes of clip transforms, for training.
        seed: of the transforms.
        log_mel_cache: folder that keeps log-mel examples across runs, see :class:`LogMelCache`.

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
        image_size: int = 1024,
        audio: str = "log_mel",
        audio_rule: str = "published",
        cache: bool | None = None,
        label_rule: str = "published",
        frame_interpolation: str = "bilinear",
        mask_interpolation: str = "nearest",
        transforms: Sequence[Mapping[str, Any]] = (),
        seed: int = 0,
        log_mel_cache: str | None = None,
    ) -> None:
        self.subset, self.split, self.audio = subset, split, audio
        self.sources_are_classes = subset in LAYOUTS and LAYOUTS[subset].category is not None
        resizing = Resizing(image_size, frame_interpolation, mask_interpolation)
        problems = setting_problems(resizing, audio_rule, label_rule)
        if subset not in LAYOUTS:
            problems.append(f"{subset=}; known: {', '.join(LAYOUTS)}")
        if audio not in SOUNDS:
            problems.append(f"{audio=}; known: {', '.join(SOUNDS)}")
        if problems:
            raise ValueError("AVSBenchObjectDataset got " + "\nand ".join(problems))
        folder = Path(root).expanduser()
        super().__init__(
            f"object/{subset}/{split}",
            folder,
            read_object_index(folder, subset, split, audio),
            resizing=resizing,
            transforms=transforms,
            seed=seed,
            audio_rule=audio_rule,
            label_rule=label_rule,
            keep_white=False,
            cache=cache,
            label_source=f"avsbench-object/{LAYOUTS[subset].name}",
            log_mel_cache=log_mel_cache,
        )

    def _log_mel(self, clip: ClipFiles) -> NDArray[np.float32]:
        if self.audio == "log_mel":
            return read_log_mel(clip.audio, len(clip.frames))
        return super()._log_mel(clip)
