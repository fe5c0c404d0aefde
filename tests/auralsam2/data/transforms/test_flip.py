from __future__ import annotations

import numpy as np
import pytest

from auralsam2.data.transforms.flip import RandomClipFlip


def clip() -> dict[str, np.ndarray]:
    masks = np.zeros((3, 6, 8), np.uint8)
    masks[:, 1:3, :2] = 7
    return {"frames": np.repeat(masks[..., None], 3, axis=-1), "masks": masks}


def test_frames_and_masks_are_mirrored_together() -> None:
    out = RandomClipFlip(prob=1.0)(clip(), np.random.default_rng(0))
    assert np.array_equal(out["masks"], clip()["masks"][:, :, ::-1])
    assert np.array_equal(out["frames"][..., 1], out["masks"])


def test_prob_is_the_share_of_mirrored_clips() -> None:
    flip, rng, original = RandomClipFlip(prob=0.25), np.random.default_rng(0), clip()
    mirrored = [flip(original, rng)["masks"] is not original["masks"] for _ in range(400)]
    assert abs(np.mean(mirrored) - 0.25) < 0.07
    assert RandomClipFlip(prob=0.0)(original, rng)["frames"] is original["frames"]


@pytest.mark.parametrize("prob", [-0.1, 1.1])
def test_no_probability_is_refused(prob: float) -> None:
    with pytest.raises(ValueError, match=r"RandomClipFlip got prob=.*\[0, 1\]"):
        RandomClipFlip(prob)
