"""AVSBench in the layout of its semantic release: V1M."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from auralsam2.data.audio import RULES, log_mel_examples, read_waveform
from auralsam2.data.datasets.index import INDEX, ClipFiles, DataError, read_index
from auralsam2.registry import DATASETS

SUBSETS = ("v1m",)


@DATASETS.register_module()
class AVSBenchDataset(Dataset[dict[str, Any]]):
    """Clips of AVSBench with a mask for every frame.

    Args:
        root: folder that holds ``avss_index/metadata.csv``.
        subset: ``v1m``.
        split: ``train``, ``val`` or ``test``.
        image_size: S, side in pixels to which frames and masks are resized; the aspect ratio is
            not kept, as in SAM2.
        audio_rule: how log-mel examples are cut, see :func:`log_mel_examples`.
        cache: keep decoded clips in memory; ``None`` keeps them where all of them fit into 1 GiB.

    Raises:
        FileNotFoundError: where there is no index.
        DataError: listing every missing file of the split.
        ValueError: on an unknown subset or audio rule.
    """

    MEMORY = 2**30

    def __init__(
        self,
        root: str,
        subset: str = "v1m",
        split: str = "train",
        image_size: int = 1024,
        audio_rule: str = "published",
        cache: bool | None = None,
    ) -> None:
        if subset not in SUBSETS:
            raise ValueError(f"AVSBenchDataset got {subset=}; known: {', '.join(SUBSETS)}")
        if audio_rule not in RULES:
            raise ValueError(f"AVSBenchDataset got {audio_rule=}; known: {', '.join(RULES)}")
        self.root, self.subset, self.split = Path(root).expanduser(), subset, split
        self.image_size, self.audio_rule = image_size, audio_rule
        self.files: list[ClipFiles] = read_index(self.root, subset, split)
        frames = sum(len(clip.frames) for clip in self.files)
        # Frames at S, masks at S and at about 224 px, log-mel examples.
        size = frames * (4 * image_size**2 + 224**2 + 2 * 96 * 64 * 4)
        self._keep = size <= self.MEMORY if cache is None else cache
        self._kept: dict[int, dict[str, Any]] = {}
        self._fingerprint = ""

    @property
    def clips(self) -> list[str]:
        """Names of the clips, in order."""
        return [clip.uid for clip in self.files]

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One clip.

        Returns:
            ``frames`` (T, 3, S, S) uint8, ``log_mel`` (T, 2, 96, 64), ``masks`` (T, S, S) uint8,
            ``native_masks`` (T, H, W) uint8, ``supervised`` (T,) bool, ``clip``.
        """
        if index not in self._kept:
            item = self._read(self.files[index])
            if not self._keep:
                return item
            self._kept[index] = item
        return dict(self._kept[index])

    def _read(self, clip: ClipFiles) -> dict[str, Any]:
        import mmcv

        size = (self.image_size, self.image_size)
        images = [_image(path) for path in clip.frames]
        labels = [_label(path) for path in clip.labels]
        frames = np.stack([mmcv.imresize(i, size, interpolation="bilinear") for i in images])
        masks = np.stack([mmcv.imresize(m, size, interpolation="nearest") for m in labels])
        samples, rate = read_waveform(clip.audio)
        examples = log_mel_examples(samples, rate, len(frames), self.audio_rule)
        if len(examples) != len(frames):
            raise DataError(
                f"'{clip.audio}' gives {len(examples)} examples for {len(frames)} frames under "
                f"audio_rule={self.audio_rule!r}; 'published' gives one a frame"
            )
        return {
            "frames": torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2))),
            "log_mel": torch.from_numpy(examples),
            "masks": torch.from_numpy(masks),
            "native_masks": _stack(labels, clip),
            "supervised": torch.ones(len(frames), dtype=torch.bool),
            "clip": clip.uid,
        }

    def fingerprint(self) -> str:
        """SHA-256 over the names and contents of the split's files and its index rows."""
        if not self._fingerprint:
            digest = hashlib.sha256(f"{self.subset}/{self.split}".encode())
            for clip in self.files:
                digest.update(f"{clip.uid}:{','.join(sorted(clip.sources))}".encode())
                for path in clip.all():
                    digest.update(path.relative_to(self.root).as_posix().encode())
                    digest.update(hashlib.sha256(path.read_bytes()).digest())
            self._fingerprint = digest.hexdigest()
        return self._fingerprint

    def __repr__(self) -> str:
        where = self.root / INDEX
        return f"AVSBenchDataset({self.subset}/{self.split}, {len(self)} clips of '{where}')"


def _image(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) RGB."""
    import cv2
    import mmcv

    try:
        image = mmcv.imread(path, flag="color", channel_order="rgb")
    except cv2.error as error:  # mmcv hands on what OpenCV could not decode
        raise DataError(f"cannot decode the image '{path}'") from error
    return np.asarray(image, dtype=np.uint8)


def _label(path: Path) -> NDArray[np.uint8]:
    """(H, W) in {0, 1}: 1 where any channel is above 0, so that a dark colour counts too."""
    red, green, blue = np.moveaxis(_image(path), 2, 0)  # a maximum over axis 2 is slow
    return ((red | green | blue) > 0).astype(np.uint8)


def _stack(labels: list[NDArray[np.uint8]], clip: ClipFiles) -> Tensor:
    shapes = {label.shape for label in labels}
    if len(shapes) > 1:
        raise DataError(f"masks of clip '{clip.uid}' differ in size: {sorted(shapes)}")
    return torch.from_numpy(np.stack(labels))
