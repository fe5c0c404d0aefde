"""A plan of synthetic clips, and what the layouts that follow it have in common."""

from __future__ import annotations

import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from auralsam2.data.audio import SAMPLE_RATE
from auralsam2.data.synthetic.objects import CLASSES
from auralsam2.data.synthetic.scene import OBJECT_COUNTS, Scene
from auralsam2.data.synthetic.sounds import render_sound

GENERATOR = 1
"""Version of scenes, sounds and files; raise it whenever the same seed gives other clips."""
SMALLEST = 16


class Plan(NamedTuple):
    """What to write."""

    layout: str  # name of the layout
    counts: tuple[int, ...]  # clips of every split of the layout
    seed: int  # clip i is drawn from (seed, i) alone
    size: int = 224  # side of the frames in pixels
    num_frames: int = 5  # T; the layouts' own numbers are in ``LAYOUTS``
    num_classes: int = len(CLASSES)  # the first so many of the classes occur
    unseen: int = 0  # the last so many of these occur in the split of unseen objects only
    fps: int = 1  # frames a second; more than one in videos only

    def settings(self) -> dict[str, Any]:
        """What identifies the result, for comparison with a folder that exists."""
        found = {**self._asdict(), "counts": list(self.counts), "generator": GENERATOR}
        if not self.unseen:  # layouts without unseen objects do not speak of them
            del found["unseen"]
        if self.fps == 1:  # nor do those of clips of their rate
            del found["fps"]
        return found

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> Plan:
        """The plan that has these :meth:`settings`."""
        fields = {name: settings[name] for name in cls._fields if name in settings}
        return cls(**{**fields, "counts": tuple(fields["counts"])})


class Layout(ABC):
    """Scenes and files of one data set.

    Attributes:
        splits: names, in order of their clips.
        percents: shares of the splits but for the first, which gets the rest.
        num_frames: T unless a plan says otherwise.
        fewest_frames: least T with which the data set makes sense.
        example: counts to show in help and errors.
        default_unseen: classes kept for a split of unseen objects; 0: there is no such split.
        default_fps: frames a second; 1: there is no other rate.
        unit: what names of clips begin with.
    """

    splits: tuple[str, ...] = ("train", "val", "test")
    percents: tuple[int, ...] = (10, 20)
    num_frames = 5
    fewest_frames = 1
    example = "200/30/60"
    default_unseen = 0
    default_fps = 1
    unit = "clip"

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    @abstractmethod
    def scene(self, index: int) -> Scene:
        """Draw clip ``index`` from (seed, index) alone."""

    def truth(self, index: int, scene: Scene) -> dict[str, Any]:
        """What was drawn, for ``synthetic.json``: objects, and which sounds in which second."""
        return {
            "uid": f"{self.unit}{index:05d}_s{self.plan.seed}",
            "split": self.split(index),
            "objects": [item.name for item in scene.objects],
            "sounding": scene.sounding.astype(int).tolist(),
        }

    @abstractmethod
    def clip_folder(self, root: Path, truth: dict[str, Any]) -> Path:
        """Folder that exists once all files of a clip do."""

    @abstractmethod
    def write_clip(self, root: Path, index: int, scene: Scene, truth: dict[str, Any]) -> None:
        """Write all files of a clip, the folder of :meth:`clip_folder` last."""

    @abstractmethod
    def write_index(self, root: Path, truths: Sequence[dict[str, Any]]) -> None:
        """Write what lists the clips."""

    def split(self, index: int) -> str:
        """Split of clip ``index``."""
        for split, count in zip(self.splits, self.plan.counts, strict=True):
            if index < count:
                return split
            index -= count
        raise IndexError(f"clip beyond the {sum(self.plan.counts)} of the plan")

    def problems(self) -> list[str]:
        """What is wrong with the plan, one line each."""
        plan = self.plan
        most, fewest = len(CLASSES), max(OBJECT_COUNTS)
        found = []
        if len(plan.counts) != len(self.splits) or min(plan.counts, default=0) < 1:
            named = ", ".join(self.splits)
            found.append(
                f"counts must be {len(self.splits)} of at least 1 ({named}), got {plan.counts}"
            )
        if plan.seed < 0:
            found.append(f"seed must be at least 0, got {plan.seed}")
        if plan.size < SMALLEST:
            found.append(f"size must be at least {SMALLEST}, got {plan.size}")
        if plan.num_frames < self.fewest_frames:
            found.append(f"frames must be at least {self.fewest_frames}, got {plan.num_frames}")
        if not fewest <= plan.num_classes <= most:
            found.append(f"classes must be from {fewest} to {most}, got {plan.num_classes}")
        if plan.fps != 1 and (plan.fps < 1 or self.default_fps == 1):
            found.append(f"fps must be 1, or more in videos; got {plan.fps}")
        return found + self.unseen_problems()

    def unseen_problems(self) -> list[str]:
        """What is wrong with the number of unseen classes."""
        unseen, layout = self.plan.unseen, self.plan.layout
        return [f"unseen must be 0, got {unseen}: '{layout}' has no unseen objects"] * bool(unseen)

    def write_media(
        self, folder: Path, index: int, scene: Scene, frames: NDArray[np.uint8]
    ) -> None:
        """Write ``frames/*.jpg`` (T, H, W, 3) and ``audio.wav``."""
        import soundfile

        (folder / "frames").mkdir()
        for t, frame in enumerate(frames):
            image = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
            cv2.imwrite(str(folder / "frames" / f"{t}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 95])
        samples = render_sound(scene, np.random.default_rng([self.plan.seed, index, 1]))
        soundfile.write(folder / "audio.wav", samples, SAMPLE_RATE, subtype="PCM_16")


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Give a folder to fill, which then appears at ``target`` at once."""
    partial_dir = target.parent / f".{target.name}.{os.getpid()}"
    # A killed process may have had the same number, as in a container.
    shutil.rmtree(partial_dir, ignore_errors=True)
    partial_dir.mkdir(parents=True)
    yield partial_dir
    try:
        partial_dir.rename(target)
    except OSError:  # another process has just written the same clip
        shutil.rmtree(partial_dir)


def write_colours(path: Path, label: NDArray[np.uint8]) -> None:
    """Write a label (H, W, 3) RGB; its folder is made where it is missing."""
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(label, cv2.COLOR_RGB2BGR))
