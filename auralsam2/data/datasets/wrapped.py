"""Data sets around another one: some of its clips, or the names of what sounds in them."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from auralsam2.data.audio import read_waveform
from auralsam2.data.datasets.semantic import FILE_NAME, read_class_map
from auralsam2.data.problems import SHOWN, DataError, named
from auralsam2.messages import first_of, nearest
from auralsam2.registry import DATASETS
from auralsam2.structures import Waveform


class WrappedDataset(Dataset[dict[str, Any]]):
    """Whatever it does not have itself is asked of the data set inside."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __getattr__(self, name: str) -> Any:
        # An object that is being unpickled has no data set yet.
        if name == "dataset" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __len__(self) -> int:
        return len(self.clips)


class AroundNode(Dataset[dict[str, Any]]):
    """Stands around a data set that a config names.

    Args:
        dataset: node of the data set, or of what stands around it; or that itself.
        root: passed on to a node, as all that follows.
        image_size: S.
        seed: of transforms.
        channels: what is heard of a recording's.
        keep_decoded: folder that keeps decoded frames.
        waveform_rate: samples a second that are heard in the place of log-mels.
    """

    def __init__(
        self,
        dataset: Mapping[str, Any] | Any,
        root: str,
        image_size: int = 1024,
        seed: int = 0,
        channels: str = "both",
        keep_decoded: str | None = None,
        waveform_rate: int | None = None,
    ) -> None:
        given = {"root": root, "image_size": image_size, "seed": seed, "channels": channels}
        kept = {"keep_decoded": keep_decoded, "waveform_rate": waveform_rate}
        named = isinstance(dataset, Mapping)
        self.dataset: Any = DATASETS.build(dataset, **given, **kept) if named else dataset


class WrappedNode(AroundNode, WrappedDataset):
    """Around a data set that a config names, which is asked for whatever this does not have."""


def sound_of(dataset: Any, index: int) -> Tensor:
    """``log_mel`` of one clip; its frames are not decoded where the data set can do without."""
    read = getattr(dataset, "log_mel", None)
    sound: Tensor = dataset[index]["log_mel"] if read is None else read(index)
    return sound


class ChosenClips(WrappedDataset):
    """Some clips of a data set.

    Args:
        dataset: with ``clips``.
        clips: names, in the order wanted.
    """

    def __init__(self, dataset: Any, clips: Sequence[str]) -> None:
        super().__init__(dataset)
        numbers = {name: index for index, name in enumerate(dataset.clips)}
        self.clips, self.indices = list(clips), [numbers[clip] for clip in clips]

    def __getitem__(self, index: int) -> Any:
        """An item of the data set."""
        return self.dataset[self.indices[index]]


def on_common_clips(datasets: Mapping[str, Any]) -> dict[str, Any]:
    """The data sets, each with the clips that all of them have, in the order of the first.

    A control may have left out clips that its split has, where the sound of a partner could not be
    read; item i of all would no longer be the same clip. A warning says how many clips go.

    Args:
        datasets: by name, at least one, with ``clips``.
    """
    first, *others = [list(dataset.clips) for dataset in datasets.values()]
    if all(clips == first for clips in others):
        return dict(datasets)
    held = [set(clips) for clips in others]
    common = [clip for clip in first if all(clip in clips for clips in held)]
    logging.getLogger(__name__).warning(
        "%s: not of the same clips, compared on the %d that all have",
        ", ".join(datasets),
        len(common),
    )
    return {name: ChosenClips(dataset, common) for name, dataset in datasets.items()}


@DATASETS.register_module()
class NamedSources(WrappedNode):
    """Adds ``sources`` (K,) uint8 to the items: 1 for every class that the index row names.

    A row names the sources of the whole clip, not which of them sounds in which second, nor which
    part of a mask is which: weak labels, that a method which translates sound to names learns
    from. Only training needs them.

    The fingerprint is that of the wrapped data, which covers the names: how they are numbered is
    no data. So methods that do and do not read the names are on the same data, and stand in one
    table; the numbers count in a run's identity.

    Args:
        dataset: node of a reader of AVSBench's semantic release, or of a wrapper around it.
        root: passed on to it.
        classes: K names in order of their numbers; ``None`` takes those of ``label2idx.json`` in
            ``root``, without the background.
        **shared: see :class:`AroundNode`.

    Raises:
        DataError: listing sources that are none of the classes.
        ValueError: where a name stands twice, or nothing is named.
    """

    def __init__(
        self,
        dataset: Mapping[str, Any],
        root: str,
        classes: Sequence[str] | None = None,
        **shared: Any,
    ) -> None:
        super().__init__(dataset, root, **shared)
        self.classes = _known(Path(os.path.expanduser(root))) if classes is None else tuple(classes)
        if not self.classes or len(set(self.classes)) != len(self.classes):
            raise ValueError(f"classes must be names, each once; got {self.classes}")
        self._numbers = {name: number for number, name in enumerate(self.classes)}
        self._check()

    @staticmethod
    def companions(root: str, classes: Sequence[str] | None = None, **_: object) -> list[Path]:
        """Files of the root that number the classes, which is no part of the fingerprint."""
        return [Path(os.path.expanduser(root)) / FILE_NAME] if classes is None else []

    def _check(self) -> None:
        named = {source for clip in self.dataset.files for source in clip.sources}
        unknown = sorted(named - set(self.classes))
        if unknown:
            raise DataError(
                f"the index of {self.dataset!r} names sources that are none of the "
                f"{len(self.classes)} classes: {first_of(map(self._hinted, unknown), SHOWN)}; add "
                "them to `classes`, and count them in model.num_classes"
            )

    def _hinted(self, name: str) -> str:
        meant = nearest(name, self.classes)
        return f"'{name}'" + (f" ('{meant}'?)" if meant else "")

    def __getitem__(self, index: int) -> dict[str, Any]:
        """The clip's item with its ``sources``."""
        sources = torch.zeros(len(self.classes), dtype=torch.uint8)
        for name in self.dataset.files[index].sources:
            sources[self._numbers[name]] = 1
        return {**self.dataset[index], "sources": sources}


@DATASETS.register_module()
class WithWaveform(WrappedNode):
    """Adds ``waveform`` to the items: the clip's own sound, for taggers that hear it at their rate.

    Log-mel examples stay. Files, of which ``files`` of the data set inside tells, are read at every
    item; controls of this data set exchange the waveform with the log-mels.

    Arguments are those of :class:`AroundNode`.
    """

    def __getitem__(self, index: int) -> dict[str, Any]:
        """The clip's item with its ``waveform``."""
        return {**self.dataset[index], "waveform": self.waveform(index)}

    def waveform(self, index: int) -> Waveform:
        """Sound of one clip alone.

        Raises:
            DataError: where it cannot be read.
        """
        path = self.dataset.files[index].audio
        with named(path):
            samples, rate = read_waveform(path)
        return Waveform(torch.from_numpy(samples.mean(axis=1)).float(), rate)


PADDED = ("frames", "log_mel", "masks", "native_masks", "supervised", "semantic", "native_semantic")
"""What an item has of every frame, where it has it."""


@DATASETS.register_module()
class PaddedClips(WrappedNode):
    """Clips filled up to one length by black, silent frames without a truth (AVSS, Zhou 2023).

    So clips of five and of ten frames stand in one batch. Items have ``padded`` (T,) bool, which
    only :class:`~auralsam2.models.methods.tpavi_network.TPAVINetwork` heeds; neither losses nor
    metrics see the frames that are padded.

    Args:
        dataset: node of the data set to wrap.
        root: passed on to it.
        num_frames: T.
        **shared: see :class:`AroundNode`.

    Raises:
        ValueError: where a clip is longer.
    """

    def __init__(
        self, dataset: Mapping[str, Any], root: str, num_frames: int = 10, **shared: Any
    ) -> None:
        super().__init__(dataset, root, **shared)
        self.num_frames = num_frames

    def __getitem__(self, index: int) -> dict[str, Any]:
        """The clip's item, (T, ...) all that belongs to frames."""
        item = dict(self.dataset[index])
        real = len(item["frames"])
        if real > self.num_frames:
            raise ValueError(
                f"clip '{item['clip']}' has {real} frames and is to be filled up to "
                f"{self.num_frames}; set num_frames of PaddedClips to {real} or more"
            )
        for key in [key for key in PADDED if key in item]:
            item[key] = self._filled(item[key])
        return {**item, "padded": torch.arange(self.num_frames) >= real}

    def log_mel(self, index: int) -> Tensor:
        """Sound of one clip alone, (num_frames, A, ...), as other clips may hear it."""
        return self._filled(sound_of(self.dataset, index))

    def _filled(self, of_frames: Tensor) -> Tensor:
        missing = of_frames.new_zeros(self.num_frames - len(of_frames), *of_frames.shape[1:])
        return torch.cat([of_frames, missing])


def _known(root: Path) -> tuple[str, ...]:
    try:
        return read_class_map(root).names[1:]
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"no '{root / FILE_NAME}'; NamedSources takes the classes from it where `classes` is "
            "None: name them there instead, e.g. classes=['guitar', 'man']"
        ) from error
