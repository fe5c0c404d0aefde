"""What guesses that do not listen reach on a data set: the floor under every score."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from auralsam2.data.clip_contents import SYNTHETIC_TRUTH
from auralsam2.data.datasets.avsbench import AVSBenchDataset
from auralsam2.data.synthetic.scene import render
from auralsam2.data.synthetic.writer import GENERATOR, Plan, layout_of
from auralsam2.metrics.jaccard import jaccard

GUESSES: dict[str, Callable[[Tensor], Tensor]] = {
    "nothing": torch.zeros_like,
    "whole frame": torch.ones_like,
    "ever sounding": lambda masks: masks.amax(dim=0, keepdim=True).expand_as(masks),
}
"""Name -> function of the true masks (T, H, W) to the guessed ones.

``ever sounding`` is told what sounds in some second of the clip, though not in which. It stands in
for ``every object`` where the silent objects are not known; neither is the best possible guess.
"""

EVERY_OBJECT = "every object"
"""Marks all that can be seen of the objects of a clip; known of synthetic clips only."""


def score_guesses(root: str | Path, subset: str = "v1m", split: str = "test") -> dict[str, float]:
    """Jaccard index of every guess, mean over frames, then clips.

    Where the data root holds ``synthetic.json`` its scenes are drawn again, to score
    ``every object``.

    Raises:
        FileNotFoundError: where there is no index.
        ValueError: where files are missing, or where synthetic clips were made by another version
            of the generator or changed since.
    """
    dataset = AVSBenchDataset(str(root), subset, split, image_size=16, cache=False)
    objects = _synthetic_objects(Path(os.path.expanduser(root)))
    scores: dict[str, list[float]] = {}
    for item in dataset:
        masks = item["native_masks"]
        guessed = {name: guess(masks) for name, guess in GUESSES.items()}
        if objects is not None:
            guessed[EVERY_OBJECT] = objects(item["clip"], masks)
        for name, guess in guessed.items():
            value = jaccard(guess.float() * 2 - 1, masks).mean()
            scores.setdefault(name, []).append(float(value))
    return {name: sum(values) / len(values) for name, values in scores.items()}


def _synthetic_objects(root: Path) -> Callable[[str, Tensor], Tensor] | None:
    """Function of a clip's name and true masks to the masks (T, H, W) of all its objects."""
    path = root / SYNTHETIC_TRUTH
    if not path.is_file():
        return None
    truth = json.loads(path.read_text(encoding="utf-8"))
    settings = truth["settings"]
    if settings["generator"] != GENERATOR:
        raise ValueError(
            f"'{path}' comes from version {settings['generator']} of the generator, this is "
            f"version {GENERATOR}: write the clips again with auralsam2 make-synthetic"
        )
    layout = layout_of(Plan.from_settings(settings))
    numbers = {clip["uid"]: number for number, clip in enumerate(truth["clips"])}

    def draw(clip: str, masks: Tensor) -> Tensor:
        scene = layout.scene(numbers[clip])
        visible = render(scene, layout.plan.size)[1]
        sounding = (visible & scene.sounding[..., None, None]).any(axis=1)
        if not np.array_equal(sounding, masks.numpy() > 0):
            raise ValueError(
                f"clip '{clip}' of '{root}' is not what its seed gives: was it edited?"
            )
        return torch.from_numpy(visible.any(axis=1).astype(np.uint8))

    return draw
