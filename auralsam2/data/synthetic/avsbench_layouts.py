"""V1S, V1M and V2 as AVSBench's semantic release has them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from auralsam2.data.datasets.avsbench_index import INDEX
from auralsam2.data.datasets.semantic import FILE_NAME, class_colours
from auralsam2.data.synthetic.layout import Layout, new_folder, write_colours
from auralsam2.data.synthetic.objects import CLASSES
from auralsam2.data.synthetic.scene import Scene, in_sight, render, sample_scene
from auralsam2.text_files import write_csv, write_text

HEADER = ("vid", "uid", "s_min", "s_sec", "a_obj", "split", "label")
PALETTE = class_colours(len(CLASSES) + 1)
"""(classes + 1, 3) RGB: class i of ``CLASSES`` has number i + 1, the background 0."""


class V1MLayout(Layout):
    """Five frames, up to two sources that change; each class in a colour of its own."""

    subset = "v1m"
    slowed = False
    """Whether objects stay as far apart and as long in sight as in five frames."""

    def scene(self, index: int) -> Scene:
        """Draw 2 to 4 objects, of which the sounding ones change."""
        return self._draw(np.random.default_rng([self.plan.seed, index]))

    def _draw(self, rng: np.random.Generator) -> Scene:
        num_frames = self.plan.num_frames
        motion = min(1.0, 5 / num_frames) if self.slowed else 1.0
        return sample_scene(rng, num_frames, num_classes=self.plan.num_classes, motion=motion)

    def truth(self, index: int, scene: Scene) -> dict[str, Any]:
        """What was drawn, and what the index names of it."""
        heard = [scene.objects[n].name for n in np.flatnonzero(scene.sounding.any(axis=0))]
        a_obj = "_".join(sorted(heard)) or "background"
        return {**super().truth(index, scene), "a_obj": a_obj}

    def clip_folder(self, root: Path, truth: dict[str, Any]) -> Path:
        """``SUBSET/UID``."""
        return root / self.subset / str(truth["uid"])

    def write_clip(self, root: Path, index: int, scene: Scene, truth: dict[str, Any]) -> None:
        """Write ``frames``, ``labels_rgb`` and ``audio.wav``."""
        frames, masks = render(scene, self.plan.size)
        with new_folder(self.clip_folder(root, truth)) as folder:
            self.write_media(folder, index, scene, frames)
            for t in range(self.num_labels(truth["split"])):
                self.write_labels(folder, t, _classes(scene, masks[t], t))

    def num_labels(self, split: str) -> int:
        """Frames of a clip that have a label."""
        return self.plan.num_frames

    def write_labels(self, folder: Path, frame: int, classes: NDArray[np.uint8]) -> None:
        """Write the label of one frame from its numbers of classes (H, W)."""
        colours = np.array([(0, 0, 0), *map(class_colour, range(len(CLASSES)))], np.uint8)
        write_colours(folder / "labels_rgb" / f"{frame}.png", colours[classes])

    def write_index(self, root: Path, truths: Sequence[dict[str, Any]]) -> None:
        """Write ``avss_index/metadata.csv``."""
        rows = [
            (truth["uid"], truth["uid"], 0, 0, truth["a_obj"], truth["split"], self.subset)
            for truth in truths
        ]
        write_csv(root / INDEX, [HEADER, *rows])


class V2Layout(V1MLayout):
    """Ten frames, up to two sources that change; classes in the colours of the semantic task."""

    subset = "v2"
    slowed = True
    num_frames = 10

    def write_labels(self, folder: Path, frame: int, classes: NDArray[np.uint8]) -> None:
        """Write ``labels_rgb`` in the palette, and ``labels_semantic`` of the bare numbers."""
        write_colours(folder / "labels_rgb" / f"{frame}.png", PALETTE[classes])
        (folder / "labels_semantic").mkdir(exist_ok=True)
        cv2.imwrite(str(folder / "labels_semantic" / f"{frame}.png"), classes)

    def write_index(self, root: Path, truths: Sequence[dict[str, Any]]) -> None:
        """Write ``label2idx.json`` too."""
        numbers = {"background": 0, **{kind.name: i for i, kind in enumerate(CLASSES, start=1)}}
        write_text(root / FILE_NAME, json.dumps(numbers, indent=4))
        super().write_index(root, truths)


class V1SLayout(V2Layout):
    """Five frames, one source throughout; training clips have the label of their first frame."""

    subset = "v1s"
    slowed = False
    num_frames = 5

    def scene(self, index: int) -> Scene:
        """Draw 2 to 4 objects in sight, of which one, whichever, sounds all the time."""
        rng = np.random.default_rng([self.plan.seed, index])
        scene = in_sight(lambda: self._draw(rng))
        sounding = np.zeros_like(scene.sounding)
        sounding[:, rng.integers(len(scene.objects))] = True
        return replace(scene, sounding=sounding)

    def num_labels(self, split: str) -> int:
        """Training clips have one label."""
        return 1 if split == "train" else self.plan.num_frames


def _classes(scene: Scene, masks: NDArray[np.bool_], frame: int) -> NDArray[np.uint8]:
    """(H, W): numbers of the classes that sound, at the pixels at which they are seen."""
    classes = np.zeros(masks.shape[1:], np.uint8)
    for number, item in enumerate(scene.objects):
        if scene.sounding[frame, number]:
            classes[masks[number]] = item.class_index + 1
    return classes


def class_colour(class_index: int) -> tuple[int, int, int]:
    """A colour of its own for every class of V1M; never black."""
    code = class_index + 1
    return tuple(64 * ((code >> (2 * channel)) % 4) for channel in range(3))  # type: ignore[return-value]
