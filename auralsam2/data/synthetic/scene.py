"""Sample and render clips of textured moving objects.

A scene is a description in normalised coordinates (the image spans [0, 1] in x and y) that can be
rendered at any size; all randomness is drawn when the scene is sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.synthetic.background import Background, render_background, sample_background
from auralsam2.data.synthetic.objects import CLASSES, HUE_JITTER, SHAPES, TEXTURES, Map
from auralsam2.data.synthetic.schedule import sample_schedule

RADIUS_RANGE = (0.12, 0.21)
"""Radii of objects as a share of the image's side, before their change over the clip."""

OBJECT_COUNTS = (2, 3, 4)
NUM_LAYOUT_TRIALS = 12
LEAST_VISIBLE = 0.008
"""Share of each frame that every object shows, in layouts that ask for it."""


@dataclass(frozen=True)
class SceneObject:
    """One object of a scene and its motion."""

    class_index: int  # index into `objects.CLASSES`
    centre: NDArray[np.float64]  # (T, 2) x and y of the centre per frame
    radius: NDArray[np.float64]  # (T,) radius per frame
    angle: NDArray[np.float64]  # (T,) rotation per frame in radians
    colours: NDArray[np.float64]  # (2, 3) RGB in [0, 1], mixed by the texture
    noise: Map  # (K, K) random texture in [0, 1], used by the mottled classes

    @property
    def name(self) -> str:
        """Name of the object's class."""
        return CLASSES[self.class_index].name


@dataclass(frozen=True)
class Scene:
    """A clip to render."""

    num_frames: int  # T
    # N objects of different classes, from the farthest to the nearest.
    objects: tuple[SceneObject, ...]
    sounding: NDArray[np.bool_]  # (seconds, N), True where the object sounds in that second
    background: Background  # what lies behind the objects
    light: NDArray[np.float64]  # (2,) direction from which the objects are lit
    noise_seed: int  # seed of the sensor noise
    # (T,) where on the objects' paths the frames are: seconds from their middle.
    time: NDArray[np.float64]
    fps: int = 1  # frames a second


def sample_scene(
    rng: np.random.Generator,
    num_frames: int = 5,
    num_classes: int = len(CLASSES),
    class_indices: Sequence[int] | None = None,
    motion: float = 1.0,
    time: NDArray[np.float64] | None = None,
    fps: int = 1,
) -> Scene:
    """Draw a scene.

    Args:
        rng: source of randomness; the same state gives the same scene.
        num_frames: T; 1 gives a still image.
        num_classes: draw 2, 3 or 4 objects of the first so many classes only.
        class_indices: classes of the objects, from the farthest to the nearest, instead of a draw.
        motion: factor of the objects' speed; less than 1 suits clips of many frames.
        time: (T,) as in :class:`Scene`; None: a second apart.
        fps: frames a second of sound.
    """
    if class_indices is None:
        num_objects = int(rng.choice(OBJECT_COUNTS))
        class_indices = rng.choice(num_classes, size=num_objects, replace=False).tolist()
    num_objects = len(class_indices)
    time = np.arange(num_frames) - (num_frames - 1) / 2 if time is None else time
    centres, radii = _sample_layout(rng, time, num_objects, motion)
    objects = tuple(map(partial(_sample_object, rng, time), class_indices, centres, radii))
    background = sample_background(rng)
    light, noise_seed = _direction(rng.uniform(0, 2 * np.pi)), int(rng.integers(2**31))
    sounding = sample_schedule(rng, -(-num_frames // fps), num_objects)
    return Scene(num_frames, objects, sounding, background, light, noise_seed, time, fps)


def _direction(angle: float) -> NDArray[np.float64]:
    return np.array([np.cos(angle), np.sin(angle)])


def render(scene: Scene, size: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Draw a scene at `size` x `size` pixels.

    Returns:
        frames (T, H, W, 3) uint8 RGB and instance masks (T, N, H, W) bool: the pixels at which
        object n is visible, after occlusion by nearer ones.
    """
    frames = np.empty((scene.num_frames, size, size, 3), np.uint8)
    masks = np.empty((scene.num_frames, len(scene.objects), size, size), bool)
    object_numbers = np.arange(len(scene.objects), dtype=np.int8)[:, None, None]
    for t, (frame, owner) in enumerate(render_frames(scene, size)):
        frames[t] = frame
        np.equal(owner[None], object_numbers, out=masks[t])
    return frames, masks


def render_frames(scene: Scene, size: int) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int8]]]:
    """Like :func:`render`, frame by frame.

    Yields:
        (H, W, 3) uint8 RGB, and (H, W) the number of the object that is seen there, or -1.
    """
    noise_rng = np.random.default_rng(scene.noise_seed)
    for t, canvas in enumerate(render_background(scene.background, size, scene.time)):
        owner = np.full((size, size), -1, np.int8)
        for number, item in enumerate(scene.objects):
            _draw_object(canvas, owner, number, item, t, scene.light)
        noise = noise_rng.standard_normal(canvas.shape, dtype=np.float32)
        noise *= scene.background.sensor_noise
        canvas += noise
        np.clip(canvas, 0.0, 1.0, out=canvas)
        yield (canvas * 255.0 + 0.5).astype(np.uint8), owner


def least_visible(scene: Scene) -> float:
    """Smallest share of a frame that any object shows in any frame; 0 where one is hidden."""
    # At one coarse size whatever the clip's, so that what is decided on it does not depend on it.
    masks = render(scene, 48)[1]
    return float(masks.mean(axis=(2, 3)).min())


def in_sight(draw: Callable[[], Scene]) -> Scene:
    """The first of the scenes that ``draw`` gives in which each object is seen in all frames."""
    while least_visible(scene := draw()) < LEAST_VISIBLE:
        pass
    return scene


def _sample_layout(
    rng: np.random.Generator, time: NDArray[np.float64], num_objects: int, motion: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Trajectories (N, T, 2) and radii (N, T) of objects that seldom hide each other wholly.

    Of several random layouts the one with the widest gaps is taken; where there is no room the
    objects overlap.
    """
    growth = 1.0 + rng.uniform(-0.04, 0.04, (num_objects, 1)) * time
    radii = rng.uniform(*RADIUS_RANGE, (num_objects, 1)) * growth
    best, best_gap = None, -np.inf
    for _ in range(NUM_LAYOUT_TRIALS):
        middle = rng.uniform(0.14, 0.86, (num_objects, 1, 2))
        speed = motion * rng.uniform(-0.05, 0.05, (num_objects, 1, 2))
        bend = motion * rng.uniform(-0.008, 0.008, (num_objects, 1, 2))
        centres = middle + speed * time[:, None] + bend * (time**2)[:, None]
        centres = np.clip(centres, 0.06, 0.94)
        gap = _smallest_gap(centres, radii)
        if gap > best_gap:
            best, best_gap = centres, gap
        if gap > -0.25:
            break
    assert best is not None
    return best, radii


def _smallest_gap(centres: NDArray[np.float64], radii: NDArray[np.float64]) -> float:
    """Least distance between two outlines over the clip, in units of the two radii's sum."""
    first, second = np.triu_indices(len(centres), 1)
    if len(first) == 0:
        return 0.0
    distance = np.linalg.norm(centres[first] - centres[second], axis=-1)
    return float((distance / (radii[first] + radii[second])).min() - 1.0)


def _sample_object(
    rng: np.random.Generator,
    time: NDArray[np.float64],
    class_index: int,
    centre: NDArray[np.float64],
    radius: NDArray[np.float64],
) -> SceneObject:
    kind = CLASSES[class_index]
    hue = kind.hue + rng.uniform(-HUE_JITTER, HUE_JITTER)
    bright = _rgb(hue, rng.uniform(0.65, 0.9), rng.uniform(0.85, 1.0))
    dark = _rgb(hue + rng.uniform(-8, 8), rng.uniform(0.7, 0.95), rng.uniform(0.22, 0.38))
    return SceneObject(
        class_index=class_index,
        centre=centre,
        radius=radius,
        angle=rng.uniform(-0.5, 0.5) + rng.uniform(-0.15, 0.15) * time,
        colours=np.stack([dark, bright]),
        # Blotches with much contrast.
        noise=np.clip(0.5 + 0.55 * rng.standard_normal((14, 14)), 0, 1).astype(np.float32),
    )


def _rgb(hue: float, saturation: float, value: float) -> NDArray[np.float64]:
    """(3,) RGB in [0, 1] of a hue in degrees."""
    phase = (np.array([5.0, 3.0, 1.0]) + hue / 60.0) % 6.0
    share = np.clip(np.minimum(phase, 4.0 - phase), 0.0, 1.0)
    return np.asarray(value * (1.0 - saturation * share))


def _draw_object(
    canvas: Map,
    owner: NDArray[np.int8],
    number: int,
    item: SceneObject,
    frame: int,
    light: NDArray[np.float64],
) -> None:
    """Paint one object onto canvas (H, W, 3), and its number into owner (H, W), in place."""
    size = canvas.shape[0]
    radius = item.radius[frame] * size
    x, y = item.centre[frame] * size - 0.5
    reach = radius * 1.2 + 1.0
    left, right = max(0, int(x - reach)), min(size, int(x + reach) + 2)
    top, bottom = max(0, int(y - reach)), min(size, int(y + reach) + 2)
    if left >= right or top >= bottom:
        return
    dx = ((np.arange(left, right) - x) / radius).astype(np.float32)[None, :]
    dy = ((np.arange(top, bottom) - y) / radius).astype(np.float32)[:, None]
    cos, sin = np.float32(np.cos(item.angle[frame])), np.float32(np.sin(item.angle[frame]))
    u, v = cos * dx + sin * dy, cos * dy - sin * dx
    kind = CLASSES[item.class_index]
    distance = SHAPES[kind.shape](u, v) * np.float32(radius)
    alpha = np.clip(0.5 - distance, 0.0, 1.0)
    mix = TEXTURES[kind.texture](u, v, item.noise)
    shade = 1.0 + np.float32(0.16 * light[0]) * dx + np.float32(0.16 * light[1]) * dy
    # A darker rim keeps the outline visible against backgrounds of a similar colour.
    shade *= 0.6 + 0.4 * np.clip(-distance / np.float32(0.09 * radius), 0.0, 1.0)
    dark, bright = item.colours.astype(np.float32)
    colour = (dark + mix[..., None] * (bright - dark)) * shade[..., None]
    patch = canvas[top:bottom, left:right]
    patch += alpha[..., None] * (colour - patch)
    owner[top:bottom, left:right][alpha > 0.5] = number
