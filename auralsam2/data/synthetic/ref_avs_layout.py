"""Ref-AVS: ten frames, several expressions a clip, splits of seen and unseen objects and none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from auralsam2.data.datasets.ref_index import COLUMNS, INDEX, NULL, NULL_SPLIT
from auralsam2.data.datasets.semantic import class_colours
from auralsam2.data.synthetic.expressions import (
    Expression,
    candidates,
    is_rich,
    sample_expressions,
    sample_null_expressions,
)
from auralsam2.data.synthetic.layout import Layout, new_folder, write_colours
from auralsam2.data.synthetic.scene import Scene, in_sight, render, sample_scene
from auralsam2.data.synthetic.words import facts_of
from auralsam2.text_files import write_csv

UNSEEN_SPLIT = "test_u"
OBJECT_COUNTS = (3, 4)
FEWEST_SEEN = 4
NULL_EVERY = 8
"""Of so many clips to train on, one has null expressions."""


class RefAVSLayout(Layout):
    """Objects that differ in class; masks are of the object, whether it sounds or not.

    Every clip offers expressions that need both ears and eyes. Clips of unseen objects show seen
    ones too, but no expression refers to these.
    """

    splits = ("train", "val", "test_s", "test_u", "test_n")
    percents = (10, 10, 10, 10)
    num_frames = 10
    fewest_frames = 3
    example = "60/10/10/10/10"
    default_unseen = 3

    def unseen_problems(self) -> list[str]:
        """At least one unseen class, and enough seen ones."""
        unseen, most = self.plan.unseen, max(1, self.plan.num_classes - FEWEST_SEEN)
        if 1 <= unseen <= most:
            return []
        return [f"unseen must be from 1 to {most}, all but {FEWEST_SEEN} classes; got {unseen}"]

    def is_null(self, index: int) -> bool:
        """Whether a clip has null expressions, and no others."""
        split = self.split(index)
        return split == NULL_SPLIT or (split == "train" and index % NULL_EVERY == NULL_EVERY - 1)

    def scene(self, index: int) -> Scene:
        """Draw 3 or 4 objects in sight, until they offer expressions for ears and eyes."""
        rng = np.random.default_rng([self.plan.seed, index])
        # One unseen object may be all there is.
        num_referents = 2 if self.split(index) != UNSEEN_SPLIT else min(2, self.plan.unseen)
        while True:
            scene = in_sight(lambda: self._draw(rng, self.split(index)))
            if is_rich(self._candidates(index, scene), num_referents):
                return scene

    def expressions(self, index: int, scene: Scene) -> list[Expression]:
        """Draw those of a clip."""
        rng = np.random.default_rng([self.plan.seed, index, 2])
        if self.is_null(index):
            return sample_null_expressions(
                rng, facts_of(scene), lambda: facts_of(self._draw(rng, self.split(index)))
            )
        return sample_expressions(rng, self._candidates(index, scene))

    def truth(self, index: int, scene: Scene) -> dict[str, Any]:
        """What was drawn, and the expressions."""
        drawn = super().truth(index, scene)
        name = drawn["uid"]
        video = f"{NULL}m-{name}" if self.is_null(index) else name
        rows: list[dict[str, Any]] = []
        numbers: Counter[str] = Counter()
        for expression in self.expressions(index, scene):
            referent = expression.referent
            noun = "null" if referent is None else drawn["objects"][referent]
            numbers[noun] += 1
            rows.append(
                {
                    "uid": f"{video}_{noun}_{numbers[noun]}",
                    "fid": referent or 0,
                    "exp": expression.text,
                    "looks": list(expression.description.looks),
                    "sound": expression.description.sound,
                }
            )
        # The index leaves out what the folders of null clips begin with.
        return {**drawn, "uid": video, "vid": name, "expressions": rows}

    def clip_folder(self, root: Path, truth: dict[str, Any]) -> Path:
        """``media/VIDEO``."""
        return root / "media" / str(truth["uid"])

    def write_clip(self, root: Path, index: int, scene: Scene, truth: dict[str, Any]) -> None:
        """Write ``gt_mask/VIDEO/fid_N`` of what is referred to, and ``media/VIDEO``."""
        frames, masks = render(scene, self.plan.size)
        colours = class_colours(2)
        if not self.is_null(index):
            with new_folder(root / "gt_mask" / truth["uid"]) as folder:
                for fid in sorted({row["fid"] for row in truth["expressions"]}):
                    for t, label in enumerate(colours[masks[:, fid].astype(np.uint8)]):
                        write_colours(folder / f"fid_{fid}" / f"{t:05d}.png", label)
        with new_folder(self.clip_folder(root, truth)) as folder:
            self.write_media(folder, index, scene, frames)

    def write_index(self, root: Path, truths: Sequence[dict[str, Any]]) -> None:
        """Write ``metadata.csv``."""
        rows = [
            (truth["vid"], row["uid"], truth["split"], row["fid"], row["exp"])
            for truth in truths
            for row in truth["expressions"]
        ]
        write_csv(root / INDEX, [COLUMNS, *rows])

    def _draw(self, rng: np.random.Generator, split: str) -> Scene:
        plan = self.plan
        seen = plan.num_classes - plan.unseen
        count = int(rng.choice(OBJECT_COUNTS))
        num_unseen = min(2, plan.unseen) if split == UNSEEN_SPLIT else 0
        chosen = [
            *rng.choice(np.arange(seen, plan.num_classes), num_unseen, replace=False),
            *rng.choice(seen, count - num_unseen, replace=False),
        ]
        # Otherwise depth would tell what is unseen.
        indices = [int(index) for index in rng.permutation(chosen)]
        motion = min(1.0, 4 / plan.num_frames)
        return sample_scene(rng, plan.num_frames, class_indices=indices, motion=motion)

    def _candidates(self, index: int, scene: Scene) -> dict[str, Any]:
        referents = None
        if self.split(index) == UNSEEN_SPLIT:
            seen = self.plan.num_classes - self.plan.unseen
            referents = [n for n, item in enumerate(scene.objects) if item.class_index >= seen]
        return candidates(facts_of(scene), referents)
