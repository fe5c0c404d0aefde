"""Object classes of the synthetic clips: shape, texture, colour and timbre of each.

Shapes and textures are functions of object coordinates: u to the right, v down, the object's
radius is 1. A shape returns a signed distance (negative inside, approximately in radii), so that
anti-aliasing at any resolution is one multiplication; a texture returns a value in [0, 1] that
mixes the object's two colours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]


class Timbre(NamedTuple):
    """How a class sounds; see `sounds.SYNTHESISERS` for the meaning per kind."""

    kind: str
    pitch: float  # fundamental, carrier or centre frequency in Hz
    rate: float = 0.0  # of modulation, bursts or clicks in Hz
    shape: float = 0.0  # of a kind: spectral decay, modulation depth, bandwidth in octaves, ...


class ObjectClass(NamedTuple):
    """One class of the synthetic world; no single property identifies it."""

    name: str  # words joined by hyphens: AVSBench joins the names of a clip by underscores
    shape: str
    texture: str
    hue: float  # degrees on the colour circle, of instances up to `HUE_JITTER` more or less
    timbre: Timbre


HUE_JITTER = 9.0


def _star(u: Map, v: Map) -> Map:
    sector = 2 * np.pi / 5
    radius = np.hypot(u, v)
    angle = np.abs((np.arctan2(u, -v) + sector / 2) % sector - sector / 2)
    # The edge runs from the tip (radius 1, angle 0) to the notch (radius 0.45, half a sector).
    notch_x, notch_y = 0.45 * np.cos(sector / 2), 0.45 * np.sin(sector / 2)
    normal_x, normal_y = notch_y, 1.0 - notch_x
    length = np.hypot(normal_x, normal_y)
    x, y = radius * np.cos(angle) - 1.0, radius * np.sin(angle)
    return (x * normal_x + y * normal_y) / length


def _cross(u: Map, v: Map) -> Map:
    a, b = np.abs(u), np.abs(v)
    return np.minimum(np.maximum(a - 0.95, b - 0.36), np.maximum(b - 0.95, a - 0.36))


SHAPES: dict[str, Callable[[Map, Map], Map]] = {
    "disc": lambda u, v: np.hypot(u, v) - 0.95,
    "square": lambda u, v: np.maximum(np.abs(u), np.abs(v)) - 0.8,
    "triangle": lambda u, v: np.maximum(np.abs(u) * 0.8660254 - v * 0.5, v) - 0.5,
    "hexagon": lambda u, v: np.maximum(np.abs(u) * 0.8660254 + np.abs(v) * 0.5, np.abs(v)) - 0.84,
    "star": _star,
    "ring": lambda u, v: np.abs(np.hypot(u, v) - 0.7) - 0.3,
    "cross": _cross,
    "crescent": lambda u, v: np.maximum(np.hypot(u, v) - 0.98, 0.68 - np.hypot(u - 0.52, v)),
}


def _soft_sign(wave: Map) -> Map:
    """A square wave with soft edges in [0, 1], so that fine textures do not alias."""
    return 0.5 + 0.5 * np.clip(wave * 3.0, -1.0, 1.0)


def _mottle(u: Map, v: Map, noise: Map) -> Map:
    scale = (noise.shape[0] - 1) / 2.4
    return cv2.remap(  # type: ignore[return-value]
        noise, (u + 1.2) * scale, (v + 1.2) * scale, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )


TEXTURES: dict[str, Callable[[Map, Map, Map], Map]] = {
    "plain": lambda u, v, _: np.clip(0.45 + 0.4 * u, 0.0, 1.0),
    "stripes": lambda u, v, _: _soft_sign(np.sin(8.5 * u)),
    "checks": lambda u, v, _: _soft_sign(np.sin(6.5 * u) * np.sin(6.5 * v) * 1.5),
    "dots": lambda u, v, _: _soft_sign(np.cos(9.0 * u) + np.cos(9.0 * v) - 0.55),
    "rings": lambda u, v, _: _soft_sign(np.sin(13.0 * np.hypot(u, v))),
    "mottle": _mottle,
}

CLASSES: tuple[ObjectClass, ...] = (
    ObjectClass("red-striped-disc", "disc", "stripes", 0, Timbre("harmonic", 220, shape=1.0)),
    ObjectClass("blue-dotted-disc", "disc", "dots", 225, Timbre("odd_harmonic", 700, shape=0.6)),
    ObjectClass("green-checked-square", "square", "checks", 125, Timbre("clicks", 2500, rate=9)),
    ObjectClass("orange-plain-square", "square", "plain", 28, Timbre("tremolo", 130, 5.0, 0.25)),
    ObjectClass("violet-striped-triangle", "triangle", "stripes", 270, Timbre("chirp", 900, 2, 1)),
    ObjectClass("red-mottled-triangle", "triangle", "mottle", 8, Timbre("noise", 350, 0, 0.6)),
    ObjectClass("yellow-dotted-star", "star", "dots", 52, Timbre("bell", 1050, rate=2.0)),
    ObjectClass("pink-plain-star", "star", "plain", 328, Timbre("vibrato", 2600, 6.0, 0.06)),
    ObjectClass("cyan-ringed-hexagon", "hexagon", "rings", 184, Timbre("bursts", 1500, 4.0, 0.5)),
    ObjectClass("lime-mottled-ring", "ring", "mottle", 88, Timbre("fm", 420, 180, 4.0)),
    ObjectClass("magenta-ringed-cross", "cross", "rings", 302, Timbre("bursts", 5000, 11, 0.5)),
    ObjectClass("azure-checked-crescent", "crescent", "checks", 205, Timbre("pulses", 75, 3.0)),
)
