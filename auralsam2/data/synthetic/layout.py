"""What the layouts of synthetic data sets have in common, and how their files are written."""

from __future__ import annotations

import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from auralsam2.data.synthetic.scene import Scene
from auralsam2.data.synthetic.sounds import SAMPLE_RATE, render_sound

if TYPE_CHECKING:
    from auralsam2.data.synthetic.plan import Plan

LEAST_VISIBLE = 0.008
"""Share of each frame that every object shows, in layouts that ask for it."""


class Layout(ABC):
    """Scenes and files of one data set.

    Attributes:
        splits: names, in order of their clips.
        percents: shares of the splits but for the first, which gets the rest.
        num_frames: T unless a plan says otherwise.
        fewest_frames: least T with which the data set makes sense.
        example: counts to show in help and errors.
        default_unseen: classes kept for a split of unseen objects; 0: there is no such split.
    """

    splits: tuple[str, ...] = ("train", "val", "test")
    percents: tuple[int, ...] = (10, 20)
    num_frames = 5
    fewest_frames = 1
    example = "200/30/60"
    default_unseen = 0

    @abstractmethod
    def scene(self, plan: Plan, index: int) -> Scene:
        """Draw clip ``index`` from (seed, index) alone."""

    @abstractmethod
    def truth(self, plan: Plan, index: int, scene: Scene) -> dict[str, Any]:
        """What was drawn, for ``synthetic.json``; ``uid`` and ``split`` among it."""

    @abstractmethod
    def clip_folder(self, root: Path, truth: dict[str, Any]) -> Path:
        """Folder that exists once all files of a clip do."""

    @abstractmethod
    def write_clip(
        self, root: Path, plan: Plan, index: int, scene: Scene, truth: dict[str, Any]
    ) -> None:
        """Write all files of a clip, the folder of :meth:`clip_folder` last."""

    @abstractmethod
    def write_index(self, root: Path, plan: Plan, truths: Sequence[dict[str, Any]]) -> None:
        """Write what lists the clips."""

    def unseen_problems(self, plan: Plan) -> list[str]:
        """What is wrong with the number of unseen classes."""
        if plan.unseen:
            return [f"unseen must be 0, got {plan.unseen}: '{plan.layout}' has no unseen objects"]
        return []


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


def write_media(
    folder: Path, plan: Plan, index: int, scene: Scene, frames: NDArray[np.uint8]
) -> None:
    """Write ``frames/*.jpg`` (T, H, W, 3) and ``audio.wav``."""
    import soundfile

    (folder / "frames").mkdir()
    for t, frame in enumerate(frames):
        image = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(folder / "frames" / f"{t}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 95])
    samples = render_sound(scene, np.random.default_rng([plan.seed, index, 1]))
    soundfile.write(folder / "audio.wav", samples, SAMPLE_RATE, subtype="PCM_16")


def write_colours(path: Path, label: NDArray[np.uint8]) -> None:
    """Write a label (H, W, 3) RGB."""
    cv2.imwrite(str(path), cv2.cvtColor(label, cv2.COLOR_RGB2BGR))
