from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from auralsam2.data.synthetic.objects import CLASSES, SHAPES, TEXTURES
from auralsam2.data.synthetic.scene import (
    LEAST_VISIBLE,
    Scene,
    in_sight,
    render,
    sample_scene,
)
from auralsam2.data.synthetic.sounds import SYNTHESISERS

# Standard errors; chance alone passes it once in 16,000 tries.
LIMIT = 4.0


def draw(number: int, **settings: int) -> Scene:
    return sample_scene(np.random.default_rng([9, number]), **settings)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [draw(i) for i in range(400)]


def looks(scene: Scene) -> dict[str, np.ndarray]:
    """What the frames show of every object, (T, N) each."""
    shape = scene.sounding.shape
    centre = np.stack([o.centre for o in scene.objects], axis=1)
    area = np.stack([o.radius**2 for o in scene.objects], axis=1)
    colours = np.stack([o.colours for o in scene.objects])
    speed = np.stack([np.gradient(o.centre, axis=0) for o in scene.objects], axis=1)
    found = {
        "area": area,
        "x": centre[..., 0],
        "y": centre[..., 1],
        "distance from the middle": np.linalg.norm(centre - 0.5, axis=-1),
        "depth": np.broadcast_to(np.arange(shape[1]) / (shape[1] - 1), shape),
        "brightness": np.broadcast_to(colours.mean(axis=(1, 2)), shape),
        "speed": np.linalg.norm(speed, axis=-1),
    }
    for channel, name in enumerate(("red", "green", "blue")):
        found[name] = np.broadcast_to(colours[:, 1, channel], shape)
    for index, kind in enumerate(CLASSES):
        own = np.array([o.class_index == index for o in scene.objects])
        found[kind.name] = np.broadcast_to(own.astype(float), shape)
    return found


def excess(scenes: list[Scene]) -> dict[str, float]:
    """Standard errors by which sounding objects differ from the others of their frame, per look."""
    sums: dict[str, list[float]] = {}
    for scene in scenes:
        extra = scene.sounding - scene.sounding.mean(axis=1, keepdims=True)
        for name, look in looks(scene).items():
            sums.setdefault(name, []).append(float((extra * look).sum()))
    # Clips are independent, the frames of a clip are not: one number a clip.
    return {name: np.sum(v) / np.sqrt(np.square(v).sum()) for name, v in sums.items()}


def with_shortcut(scenes: list[Scene], look: str, every: int = 3) -> list[Scene]:
    """In one of `every` clips what sounds longest is what ranks highest in a look."""
    planted = []
    for number, scene in enumerate(scenes):
        if number % every == 0:
            order = np.argsort(looks(scene)[look].mean(axis=0))
            sounding = np.empty_like(scene.sounding)
            sounding[:, order] = scene.sounding[:, np.argsort(scene.sounding.sum(axis=0))]
            scene = replace(scene, sounding=sounding)
        planted.append(scene)
    return planted


def test_no_look_tells_what_sounds(scenes: list[Scene]) -> None:
    found = {name: z for name, z in excess(scenes).items() if abs(z) > LIMIT}
    assert found == {}


@pytest.mark.parametrize("look", ["area", "distance from the middle", "depth", "red", "speed"])
def test_a_planted_shortcut_would_be_found(scenes: list[Scene], look: str) -> None:
    assert abs(excess(with_shortcut(scenes, look))[look]) > LIMIT


def test_a_class_that_sounds_more_would_be_found(scenes: list[Scene]) -> None:
    # A class is in a quarter of the clips only.
    planted = with_shortcut(scenes, CLASSES[3].name, every=1)
    assert abs(excess(planted)[CLASSES[3].name]) > LIMIT


def test_two_to_four_objects_of_different_classes(scenes: list[Scene]) -> None:
    numbers = [len(s.objects) for s in scenes]
    assert set(numbers) == {2, 3, 4}
    assert all(len({o.class_index for o in s.objects}) == len(s.objects) for s in scenes)
    used = np.bincount([o.class_index for s in scenes for o in s.objects], minlength=len(CLASSES))
    assert len(CLASSES) >= 8
    assert used.min() > 0.6 * used.mean()
    # Every class is silent somewhere where it can be seen.
    silent = {o.name for s in scenes for n, o in enumerate(s.objects) if not s.sounding[:, n].any()}
    assert silent == {kind.name for kind in CLASSES}


def test_the_same_state_gives_the_same_frames() -> None:
    (frames, masks), (frames_again, masks_again) = (render(draw(1), 40) for _ in range(2))
    np.testing.assert_array_equal(frames, frames_again)
    np.testing.assert_array_equal(masks, masks_again)
    assert frames.shape == (5, 40, 40, 3) and frames.dtype == np.uint8
    assert masks.shape == (5, len(draw(1).objects), 40, 40) and masks.dtype == bool
    assert np.abs(frames.astype(int) - render(draw(2), 40)[0]).mean() > 5


@pytest.mark.parametrize("number", range(6))
def test_sizes_show_the_same_scene(number: int) -> None:
    scene = draw(number, num_frames=2)
    # The sensor's noise is one of pixels: it averages out where a frame is shrunk.
    scene = replace(scene, background=replace(scene.background, sensor_noise=np.float32(0)))
    small_frames, small = render(scene, 64)
    frames, large = render(scene, 128)
    for t in range(2):
        shrunk = cv2.resize(frames[t], (64, 64), interpolation=cv2.INTER_AREA)
        assert np.abs(shrunk.astype(int) - small_frames[t]).mean() < 5
        for n in range(len(scene.objects)):
            enlarged = np.kron(small[t, n], np.ones((2, 2), bool))
            if large[t, n].sum() > 300:
                union = (enlarged | large[t, n]).sum()
                assert (enlarged & large[t, n]).sum() / union > 0.85
    both = np.kron(small, np.ones((2, 2), bool))
    assert (both & large).sum() / (both | large).sum() > 0.9


def test_a_pixel_belongs_to_the_nearest_object() -> None:
    hidden = 0
    for number in range(20):
        scene = draw(number, num_frames=1)
        masks = render(scene, 48)[1][0]
        assert masks.sum(axis=0).max() <= 1
        for n, item in enumerate(scene.objects):
            alone = render(replace(scene, objects=(item,)), 48)[1][0, 0]
            in_front = masks[n + 1 :].any(axis=0)
            np.testing.assert_array_equal(masks[n], alone & ~in_front)
            hidden += (alone & in_front).sum()
    assert hidden > 0


def test_scenes_that_hide_an_object_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    scenes = [draw(i) for i in range(3)]
    shown = dict(zip(map(id, scenes), (0.0, LEAST_VISIBLE - 1e-4, LEAST_VISIBLE), strict=True))
    monkeypatch.setattr("auralsam2.data.synthetic.scene.least_visible", lambda s: shown[id(s)])
    assert in_sight(iter(scenes).__next__) is scenes[2]


def test_objects_move_and_keep_within_sight() -> None:
    scenes = [draw(i) for i in range(60)]
    moves = [np.linalg.norm(o.centre[-1] - o.centre[0]) for s in scenes for o in s.objects]
    assert np.median(moves) > 0.05
    assert all(((o.centre > 0) & (o.centre < 1)).all() for s in scenes for o in s.objects)


def test_classes_name_what_exists() -> None:
    assert len({kind.name for kind in CLASSES}) == len(CLASSES)
    assert len({(kind.shape, kind.texture) for kind in CLASSES}) == len(CLASSES)
    for kind in CLASSES:
        assert "_" not in kind.name  # AVSBench joins names by it
        assert kind.shape in SHAPES and kind.texture in TEXTURES
        assert kind.timbre.kind in SYNTHESISERS
