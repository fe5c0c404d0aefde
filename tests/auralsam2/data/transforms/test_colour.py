from __future__ import annotations

import numpy as np
import pytest

from auralsam2.data.transforms.colour import ClipColourJitter, RandomClipGrey, _recolour

FRAMES = np.random.default_rng(2).integers(60, 180, (4, 10, 12, 3), dtype=np.uint8)
CLIP = {"frames": np.repeat(FRAMES[:1], 4, axis=0), "masks": FRAMES[..., 0]}


def test_one_draw_a_clip_or_one_a_frame() -> None:
    for per_frame, different in ((False, 1), (True, 4)):
        jitter = ClipColourJitter(brightness=0.4, per_frame=per_frame)
        out = jitter(CLIP, np.random.default_rng(0))
        assert len({frame.tobytes() for frame in out["frames"]}) == different
        assert not np.array_equal(out["frames"][0], CLIP["frames"][0])
        assert out["masks"] is CLIP["masks"]


def test_amounts_of_zero_change_nothing() -> None:
    jitter = ClipColourJitter(brightness=0, contrast=0, saturation=0, hue=0)
    assert np.array_equal(jitter(CLIP, np.random.default_rng(0))["frames"], CLIP["frames"])


def test_brightness_is_a_factor_within_its_bounds() -> None:
    jitter = ClipColourJitter(brightness=0.2, contrast=0, saturation=0)
    means = [
        jitter(CLIP, np.random.default_rng(seed))["frames"].mean() / CLIP["frames"].mean()
        for seed in range(60)
    ]
    assert 0.79 < min(means) < 0.84 and 1.16 < max(means) < 1.21


@pytest.mark.parametrize(
    ("name", "factor", "theirs"),
    [
        ("brightness", 1.2, "adjust_brightness"),
        ("contrast", 0.7, "adjust_contrast"),
        ("saturation", 0.4, "adjust_saturation"),
        ("hue", 0.1, "adjust_hue"),
        ("hue", -0.25, "adjust_hue"),
    ],
)
def test_every_change_is_torchvisions(name: str, factor: float, theirs: str) -> None:
    tv = pytest.importorskip("torchvision.transforms.functional")
    from PIL import Image

    expected = np.asarray(getattr(tv, theirs)(Image.fromarray(FRAMES[0]), factor)).astype(int)
    ours = _recolour(FRAMES[0], [(name, factor)]).astype(int)
    # Pillow rounds hue and saturation to bytes more coarsely.
    assert np.abs(ours - expected).max() <= (12 if name == "hue" else 2)
    assert np.abs(ours - FRAMES[0]).max() > 10


def test_grey_has_three_equal_channels_of_the_luminance() -> None:
    out = RandomClipGrey(prob=1.0)(CLIP, np.random.default_rng(0))["frames"]
    assert out.shape == CLIP["frames"].shape and (out == out[..., :1]).all()
    expected = CLIP["frames"] @ np.array([0.299, 0.587, 0.114])
    assert np.abs(out[..., 0] - expected).max() <= 1


def test_grey_is_rare() -> None:
    rng, grey = np.random.default_rng(0), RandomClipGrey()
    share = np.mean([grey(CLIP, rng)["frames"] is not CLIP["frames"] for _ in range(600)])
    assert 0.02 < share < 0.08


def test_bad_settings_are_named_together() -> None:
    with pytest.raises(ValueError, match=r"contrast=-1, hue=0\.6 above 0\.5"):
        ClipColourJitter(contrast=-1, hue=0.6)
