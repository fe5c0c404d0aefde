"""The clip that comes with the package: seven synthetic seconds, three objects, a silent second."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

COMMAND = (
    "auralsam2 make-synthetic OUT --layout video --clips 1 --frames 35 --fps 5 --classes 8 "
    "--seed 84 --size 224"
)
"""What made it, as ``OUT/videos/video00000_s84.mp4``. Of three objects, all of which sound at some
time, with one silent second and a pair that sounds together, it is the first seed whose file has
less than 200 kB; no model was asked."""


def example_clip() -> Path:
    """Return the path of the clip, 224 px, 5 frames a second."""
    return Path(str(resources.files("auralsam2.data") / "example.mp4"))
