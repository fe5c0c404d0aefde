from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from auralsam2.data.labels import LABEL_RULES, objects

COLOURS = {
    (0, 0, 0): (0, 0),
    (0, 0, 4): (255, 0),  # blue: luminance 0.456 rounds to 0
    (0, 0, 5): (255, 1),
    (1, 0, 0): (255, 0),
    (0, 1, 0): (255, 1),
    (128, 0, 0): (255, 38),
    (254, 255, 255): (255, 255),
    (255, 255, 255): (255, 255),
}
"""RGB -> levels under the published and the released rule."""


def test_levels_of_label_colours(tmp_path: Path) -> None:
    path = tmp_path / "label.png"
    label = np.array([list(COLOURS)], np.uint8)
    cv2.imwrite(str(path), label[..., ::-1])
    for i, rule in enumerate(("published", "released")):
        assert LABEL_RULES[rule](path)[0].tolist() == [levels[i] for levels in COLOURS.values()]


def test_objects_are_what_is_above_black() -> None:
    levels = np.array([0, 1, 38, 254, 255], np.uint8)
    assert objects(levels).tolist() == [0, 1, 1, 1, 1]
    assert objects(levels, keep_white=True).tolist() == [0, 1, 1, 1, 255]
