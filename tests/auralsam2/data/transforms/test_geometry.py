from __future__ import annotations

import cv2
import numpy as np
import pytest

from auralsam2.data.transforms import geometry
from auralsam2.data.transforms.geometry import RandomClipAffine, RandomClipFlip, affine_matrix

HEIGHT, WIDTH = 60, 80


def clip() -> dict[str, np.ndarray]:
    masks = np.zeros((3, HEIGHT, WIDTH), np.uint8)
    masks[:, 15:45, 30:70] = 255
    masks[:, 20:30, 40:50] = 0
    return {"frames": np.repeat(masks[..., None], 3, axis=-1), "masks": masks}


@pytest.mark.parametrize("seed", range(6))
def test_masks_follow_images(seed: int) -> None:
    out = RandomClipAffine(fill=(0, 0, 0))(clip(), np.random.default_rng(seed))
    image, mask = out["frames"][..., 0], out["masks"]
    assert set(np.unique(mask)) == {0, 255} and mask.any()
    # The bilinear picture is on the mask's side of one half, but for some pixels of the edge.
    wrong = (image >= 128) != (mask > 0)
    assert wrong.mean() < 0.004
    for t in range(3):
        away = cv2.erode(1 - _edge(mask[t]), np.ones((3, 3), np.uint8)) > 0
        assert not wrong[t][away].any()


def _edge(mask: np.ndarray) -> np.ndarray:
    return (cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0).astype(
        np.uint8
    )


def test_all_frames_move_alike_and_clips_differ() -> None:
    affine, rng = RandomClipAffine(), np.random.default_rng(0)
    outs = [affine(clip(), rng) for _ in range(2)]
    for out in outs:
        for key in ("frames", "masks"):
            assert (out[key] == out[key][:1]).all()
    assert not np.array_equal(outs[0]["masks"], outs[1]["masks"])


def test_outside_of_the_picture_is_fill_and_background() -> None:
    full = {
        "frames": np.full((1, HEIGHT, WIDTH, 3), 9, np.uint8),
        "masks": np.full((1, HEIGHT, WIDTH), 1, np.uint8),
    }
    out = RandomClipAffine(degrees=25, shear=0)(full, np.random.default_rng(0))
    corner = out["frames"][0, 0, 0], out["frames"][0, -1, -1], out["frames"][0, 0, -1]
    assert any((c == (123, 116, 103)).all() for c in corner)
    outside = (out["frames"][0] == (123, 116, 103)).all(axis=-1)
    assert outside.any() and not out["masks"][0][outside].any()


def test_draws_stay_within_their_bounds_and_reach_them(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[float, float]] = []
    monkeypatch.setattr(
        geometry, "affine_matrix", lambda *draw: (drawn.append(draw[:2]), np.eye(2, 3))[1]
    )
    rng, square = np.random.default_rng(0), {k: v[:1, :20, :20] for k, v in clip().items()}
    for _ in range(300):
        RandomClipAffine()(square, rng)
    angles, slants = zip(*drawn)
    assert -25 <= min(angles) < -22 and 22 < max(angles) <= 25
    assert -20 <= min(slants) < -18 and 18 < max(slants) <= 20


def test_zero_changes_nothing() -> None:
    out = RandomClipAffine(degrees=0, shear=0)(clip(), np.random.default_rng(0))
    assert all(np.array_equal(out[key], clip()[key]) for key in out)


def test_a_quarter_turn_is_clockwise_and_the_shear_leans() -> None:
    # y points down: the right end of the first row goes to the right end of the last one.
    turn = affine_matrix(90, 0, 11, 11)
    assert np.allclose(turn @ [10, 0, 1], [10, 10]) and np.allclose(turn @ [5, 5, 1], [5, 5])
    lean = affine_matrix(0, 45, 11, 11)
    assert np.allclose(lean @ [5, 0, 1], [10, 0]) and np.allclose(lean @ [5, 10, 1], [0, 10])


@pytest.mark.parametrize(("angle", "shear"), [(20.0, 0.0), (0.0, -15.0), (-25.0, 20.0), (13, 7)])
def test_geometry_is_torchvisions(angle: float, shear: float) -> None:
    tv = pytest.importorskip("torchvision.transforms.functional")
    from PIL import Image

    image = np.zeros((HEIGHT, WIDTH), np.uint8)
    image[10:40, 15:60], image[15:20, 20:26] = 255, 90
    theirs = np.asarray(
        tv.affine(Image.fromarray(image), angle, [0, 0], 1.0, [shear, 0.0], fill=[0])
    )
    ours = cv2.warpAffine(
        image, affine_matrix(angle, shear, HEIGHT, WIDTH), (WIDTH, HEIGHT), flags=cv2.INTER_NEAREST
    )
    assert (theirs != ours).mean() < 0.006
    # One pixel further, ten times as many would differ.
    assert (theirs != np.roll(ours, 1, axis=1)).mean() > 0.012


def test_bad_settings_are_named_together() -> None:
    with pytest.raises(ValueError) as caught:
        RandomClipAffine(degrees=-1, shear=90, fill=(0, 0))
    message = str(caught.value)
    assert "degrees=-1" in message and "shear=90" in message and "fill=(0, 0)" in message


def small_clip() -> dict[str, np.ndarray]:
    masks = np.zeros((3, 6, 8), np.uint8)
    masks[:, 1:3, :2] = 7
    return {"frames": np.repeat(masks[..., None], 3, axis=-1), "masks": masks}


def test_frames_and_masks_are_mirrored_together() -> None:
    out = RandomClipFlip(prob=1.0)(small_clip(), np.random.default_rng(0))
    assert np.array_equal(out["masks"], small_clip()["masks"][:, :, ::-1])
    assert np.array_equal(out["frames"][..., 1], out["masks"])


def test_prob_is_the_share_of_mirrored_clips() -> None:
    flip, rng, original = RandomClipFlip(prob=0.25), np.random.default_rng(0), small_clip()
    mirrored = [flip(original, rng)["masks"] is not original["masks"] for _ in range(400)]
    assert abs(np.mean(mirrored) - 0.25) < 0.07
    assert RandomClipFlip(prob=0.0)(original, rng)["frames"] is original["frames"]


@pytest.mark.parametrize("prob", [-0.1, 1.1])
def test_no_probability_is_refused(prob: float) -> None:
    with pytest.raises(ValueError, match=r"RandomClipFlip got prob=.*\[0, 1\]"):
        RandomClipFlip(prob)
