"""What all readers of clips on disk do alike: decode, transform, resize, keep."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from auralsam2.data.audio import CHANNELS, RULES, read_waveform
from auralsam2.data.datasets.index import ClipFiles, fingerprint
from auralsam2.data.datasets.semantic import ClassMap
from auralsam2.data.heard import heard_seconds
from auralsam2.data.images import Resizing, image_size, nearest, read_image, stack
from auralsam2.data.kept_frames import Frames, KeptFrames
from auralsam2.data.labels import LABEL_RULES, WHITE, objects
from auralsam2.data.log_mel_cache import LogMelCache
from auralsam2.data.problems import DataError, named
from auralsam2.data.transforms.base import Augmentation
from auralsam2.kept_digests import content_digests, places
from auralsam2.messages import unknown_values
from auralsam2.structures import UNLABELLED, Hearing

NATIVE = 224**2
"""Pixels of a picture of AVSBench."""
LAST = 2
"""Media and truth of the clip that was read last, which controls beside it are about to read."""


class ClipDataset(Dataset[dict[str, Any]]):
    """Clips whose files an index tells: a subclass gives :meth:`read_index`.

    Frames and sound of clips that share a recording are decoded and kept once.

    Args:
        root: folder below which all files lie.
        split: of the data.
        image_size: S, side in pixels to which frames and masks are resized; the aspect ratio is
            not kept, as in SAM2.
        audio_rule: how log-mel examples are cut, see :func:`log_mel_examples`.
        cache: keep decoded clips in memory; ``None`` keeps them where all of them fit into 1 GiB.
            Without it the last one is kept, for controls that show it again under another sound.
        label_rule: ``published``, any colour above black is object, or ``released``, a luminance
            above 0.
        frame_interpolation: ``bilinear`` or ``bicubic``; released: bicubic to test.
        mask_interpolation: ``nearest`` or ``bilinear``; released: bilinear to train, after which
            every level above 0 counts as object.
        transforms: nodes of clip transforms, for training; applied before resizing.
        seed: of the transforms.
        log_mel_cache: folder that keeps log-mel examples across runs, see :class:`LogMelCache`.
        channels: as the audio encoder asks, which a run passes, see :func:`log_mel_examples`.
        waveform_rate: likewise, see :func:`heard_seconds`.
        keep_decoded: folder that keeps decoded frames, see :class:`KeptFrames`, and log-mel
            examples; resized where no transforms come before that.
        labelled: whether labels are looked for; masks are empty without them.

    Attributes:
        name: of the data and the split, part of the fingerprint.
        files: of every clip.
        label_source: release and part of it that the labels come from, for records.
        class_map: adds ``semantic``, the numbers of the labels' classes, to the items.
        keep_white: labels of 255 stay 255, and frames without a label are 255 all over.
        sources_are_classes: whether ``sources`` of the files name classes of objects, and not just
            the clip.

    Raises:
        ValueError: listing all settings that are unknown.
    """

    MEMORY = 2**30
    name: str
    label_source: str = ""
    class_map: ClassMap | None = None
    keep_white: bool = False
    sources_are_classes: bool = True

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
        channels: str = "both",
        keep_decoded: str | None = None,
        labelled: bool = True,
        waveform_rate: int | None = None,
    ) -> None:
        self.root, self.split, self.labelled = Path(os.path.expanduser(root)), split, labelled
        self.resizing = Resizing(image_size, frame_interpolation, mask_interpolation)
        self.audio_rule, self.label_rule = audio_rule, label_rule
        self.channels, self.waveform_rate = channels, waveform_rate
        if problems := self.setting_problems():
            raise ValueError(f"{type(self).__name__} got " + "\nand ".join(problems))
        self.files = self.read_index()
        self.augmentation = Augmentation(transforms, seed)
        sounds = log_mel_cache or (Path(keep_decoded, "log_mel") if keep_decoded else None)
        self.log_mel_cache = LogMelCache(sounds) if sounds else None
        self.kept_frames = self._frames_in(Path(keep_decoded)) if keep_decoded else None
        self._keep = self._memory() <= self.MEMORY if cache is None else cache
        self._kept: dict[Hashable, dict[str, Any]] = {}
        self._fingerprint = ""

    @abstractmethod
    def read_index(self) -> list[ClipFiles]:
        """Files of the split's clips; sets :attr:`name` and what else the class says of them."""

    def setting_problems(self) -> list[str]:
        """What is wrong with the settings, one line each."""
        return self.resizing.problems() + unknown_values(
            audio_rule=(self.audio_rule, RULES),
            label_rule=(self.label_rule, LABEL_RULES),
            channels=(self.channels, CHANNELS),
        )

    @property
    def clips(self) -> list[str]:
        """Names of the clips, in order."""
        return [clip.uid for clip in self.files]

    def set_epoch(self, epoch: int) -> None:
        """Draw the transforms anew, in running workers too; call it before each epoch."""
        self.augmentation.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One clip.

        Returns:
            ``frames`` (T, 3, S, S) uint8, ``log_mel`` (T, A, 96, 64) or, where the encoder wants
            samples, (T, A, R), ``masks`` (T, S, S) uint8, ``native_masks`` (T, H, W) uint8,
            ``supervised`` (T,) bool, ``clip``; with a class map also ``semantic`` (T, S, S)
            uint8, 255 in frames without a label, and ``native_semantic`` (T, H, W) uint8.

        Raises:
            DataError: naming the file that cannot be read.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"clip {index} of {len(self)}")
        index %= len(self)
        clip = self.files[index]
        media = self._once(clip.audio, lambda: self._media(clip))
        truth = self._once((clip.audio, clip.labels), lambda: self._truth(clip, media["size"]))
        item = {**media, **truth, "clip": clip.uid}
        del item["size"]
        if self.augmentation:
            self._augment(item, index, len(clip.labels))
        return item

    def log_mel(self, index: int) -> Tensor:
        """Sound of one clip alone as in its item; its frames are not decoded.

        Raises:
            DataError: where it cannot be read.
        """
        clip = self.files[index]
        kept = self._kept.get(clip.audio)
        return torch.from_numpy(self._log_mel(clip)) if kept is None else kept["log_mel"]

    def _augment(self, item: dict[str, Any], index: int, num_labels: int) -> None:
        """Transform and resize frames, levels and classes as they came from their files."""
        originals = item["frames"]
        frames, levels = self.augmentation(originals, item.pop("levels"), index)
        item["frames"] = torch.from_numpy(self.resizing.resize_frames(frames))
        item |= self._masks(levels)
        if self.class_map is not None:
            # The same draws: they hang on (seed, epoch, clip), and not on what is transformed.
            _, classes = self.augmentation(originals, item.pop("classes"), index)
            classes = classes.copy()
            classes[num_labels:] = UNLABELLED  # what a turn brings in is no background there
            item |= self._semantic(classes)

    def _once(self, key: Hashable, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        if key not in self._kept:
            if not self._keep and len(self._kept) >= LAST:
                self._kept.clear()
            self._kept[key] = make()
        return self._kept[key]

    def _media(self, clip: ClipFiles) -> dict[str, Any]:
        """Frames, ready or, where they are to be transformed, as they are; the sound; the size."""
        kept, decode = self.kept_frames, lambda: self._decoded(clip)
        frames = decode() if kept is None else kept.frames(clip.frames, decode)
        examples, num_frames = self._log_mel(clip), len(clip.frames)
        if len(examples) != num_frames:
            raise DataError(
                f"'{clip.audio}' gives {len(examples)} examples for {num_frames} frames under "
                f"audio_rule={self.audio_rule!r}; 'published' gives one a frame"
            )
        return {
            "frames": frames.pixels if self.augmentation else torch.from_numpy(frames.pixels),
            "log_mel": torch.from_numpy(examples),
            "size": frames.size,
        }

    def _frames_in(self, folder: Path) -> KeptFrames:
        kept = KeptFrames(folder, [] if self.augmentation else self.resizing[:2])
        clips = {clip.audio: clip.frames for clip in self.files}.values()
        kept.check_room(clips, 3 * self._pixels_kept(), self.name)
        return kept

    def _decoded(self, clip: ClipFiles) -> Frames:
        """As they are where they are to be transformed, else ready."""
        images = [read_image(path) for path in clip.frames]
        size = images[0].shape[0], images[0].shape[1]
        if self.augmentation:
            return Frames(stack(images, f"frames of clip '{clip.uid}'"), size)
        return Frames(self.resizing.resize_frames(images), size)

    def _log_mel(self, clip: ClipFiles) -> NDArray[np.float32]:
        """Examples (T, A, 96, 64), or samples (T, A, R), of a clip's sound."""
        with named(clip.audio):
            how = len(clip.frames), self.audio_rule, self.channels
            if self.log_mel_cache and self.waveform_rate is None:
                return self.log_mel_cache.examples(clip.audio, *how)
            return heard_seconds(*read_waveform(clip.audio), *how, self.waveform_rate)

    def _truth(self, clip: ClipFiles, size: tuple[int, int]) -> dict[str, Any]:
        """Masks, ready or, where they are to be transformed, as levels of the frames' size."""
        num_frames = len(clip.frames)
        read = LABEL_RULES[self.label_rule]
        labels = [read(path) for path in clip.labels]
        missing = num_frames - len(labels)
        blank = np.full(labels[0].shape if labels else size, WHITE * self.keep_white, np.uint8)
        levels = stack([*labels, *[blank] * missing], f"masks of clip '{clip.uid}'")
        if levels.shape[1:] == size[::-1] != size:
            raise DataError(
                f"'{clip.labels[0]}' has {size[1]} rows and {size[0]} columns, its frame the "
                "reverse: one of the two is turned, as by EXIF; turn the labels as the frames show"
            )
        supervised = torch.ones(num_frames, dtype=torch.bool)
        supervised[1:] = not clip.first_only
        maps = {"levels": levels}
        if self.class_map is not None:
            classes = [self.class_map.read(path) for path in clip.labels]
            blank = np.full_like(blank, UNLABELLED)
            maps["classes"] = stack([*classes, *[blank] * missing], f"labels of clip '{clip.uid}'")
        if not self.augmentation:
            masks = self._masks(levels)
            if "classes" in maps:
                masks |= self._semantic(maps["classes"])
            return {**masks, "supervised": supervised}
        if levels.shape[1:] != size:
            # A turn about the centre means the same for both only where their sizes agree.
            maps = {k: stack([nearest(m, size) for m in v], k) for k, v in maps.items()}
        return {**maps, "supervised": supervised}

    def _semantic(self, classes: NDArray[np.uint8]) -> dict[str, Tensor]:
        size = (self.resizing.size, self.resizing.size)
        # Whatever the rule for masks: there is nothing between two classes.
        resized = torch.from_numpy(np.stack([nearest(c, size) for c in classes]))
        return {"semantic": resized, "native_semantic": torch.from_numpy(classes)}

    def _masks(self, levels: NDArray[np.uint8]) -> dict[str, Tensor]:
        resized = self.resizing.resize_labels(levels)
        return {
            "masks": torch.from_numpy(objects(resized, self.keep_white)),
            "native_masks": torch.from_numpy(objects(levels, self.keep_white)),
        }

    def _memory(self) -> int:
        """Bytes of all decoded clips, more or less."""
        frame = self._pixels_kept()
        media = {clip.audio: len(clip.frames) for clip in self.files}
        truth = {(clip.audio, clip.labels): len(clip.frames) for clip in self.files}
        masks = (frame + NATIVE * (not self.augmentation)) * (1 + (self.class_map is not None))
        sound = 4 * Hearing(self.channels, self.waveform_rate).size
        return sum(media.values()) * (3 * frame + sound) + sum(truth.values()) * masks

    def _pixels_kept(self) -> int:
        """Of one frame that is ready, or as in the first file where it is to be transformed."""
        if not self.augmentation:
            return self.resizing.size**2
        return int(np.prod(image_size(self.files[0].frames[0]))) or NATIVE

    def fingerprint(self) -> str:
        """SHA-256 over names and contents of files (see ``kept_digests``) and the index rows."""
        if not self._fingerprint:
            paths = (path for clip in self.files for path in clip.all())
            digests = content_digests(paths, self.root, places(self.root, self.name))
            self._fingerprint = fingerprint(self.name, self.root, self.files, digests.get)
        return self._fingerprint

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name}, {len(self)} clips of '{self.root}')"
