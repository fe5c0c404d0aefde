"""AVSBench in the layout of its semantic release: V1S, V1M and V2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from auralsam2.data.datasets.clip_dataset import ClipDataset, setting_problems
from auralsam2.data.datasets.index import SUBSETS, read_index
from auralsam2.data.datasets.semantic import FILE_NAME, read_class_map
from auralsam2.data.resizing import Resizing
from auralsam2.registry import DATASETS


@DATASETS.register_module()
class AVSBenchDataset(ClipDataset):
    """Clips of AVSBench with class-agnostic masks.

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
        image_size: S, side in pixels to which frames and masks are resized; the aspect ratio is
            not kept, as in SAM2.
        audio_rule: how log-mel examples are cut, see :func:`log_mel_examples`.
        cache: keep decoded clips in memory; ``None`` keeps them where all of them fit into 1 GiB.
        label_rule: ``published`` or ``released``, see above.
        frame_interpolation: ``bilinear`` or ``bicubic``; released: bicubic to test.
        mask_interpolation: ``nearest`` or ``bilinear``; released: bilinear to train, after which
            every level above 0 counts as object.
        transforms: nodes of clip transforms, for training.
        seed: of the transforms.
        semantic: add ``semantic`` (T, S, S) uint8 to the items: the numbers of the 71 classes,
            from the colours of the labels and ``label2idx.json`` in ``root``; 255 in frames
            without a label. ``masks`` stay class-agnostic.
        log_mel_cache: folder that keeps log-mel examples across runs, see :class:`LogMelCache`.

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
        image_size: int = 1024,
        audio_rule: str = "published",
        cache: bool | None = None,
        label_rule: str = "published",
        frame_interpolation: str = "bilinear",
        mask_interpolation: str = "nearest",
        transforms: Sequence[Mapping[str, Any]] = (),
        seed: int = 0,
        semantic: bool = False,
        log_mel_cache: str | None = None,
    ) -> None:
        self.subsets = (subset,) if isinstance(subset, str) else tuple(subset)
        self.split = split
        resizing = Resizing(image_size, frame_interpolation, mask_interpolation)
        problems = setting_problems(resizing, audio_rule, label_rule)
        if set(self.subsets) - set(SUBSETS) or not self.subsets:
            problems.append(f"{subset=}; known: {', '.join(SUBSETS)}")
        elif len(set(self.subsets)) < len(self.subsets):
            problems.append(f"{subset=}; state each subset once")
        if problems:
            raise ValueError("AVSBenchDataset got " + "\nand ".join(problems))
        folder = Path(root).expanduser()
        super().__init__(
            f"{'+'.join(self.subsets)}/{split}",
            folder,
            read_index(folder, self.subsets, split),
            resizing=resizing,
            transforms=transforms,
            seed=seed,
            audio_rule=audio_rule,
            label_rule=label_rule,
            keep_white=label_rule == "released" and self.subsets == ("v1s",),
            cache=cache,
            label_source=f"avsbench-semantic/{'+'.join(self.subsets)}",
            class_map=read_class_map(folder) if semantic else None,
            log_mel_cache=log_mel_cache,
        )

    @staticmethod
    def companions(root: str, semantic: bool = False, **_: object) -> list[Path]:
        """Files of the root that number the classes, which is no part of the fingerprint."""
        return [Path(root).expanduser() / FILE_NAME] if semantic else []
