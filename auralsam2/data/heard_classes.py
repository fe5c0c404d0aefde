"""Which classes sound in each frame, as far as the data say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from auralsam2.data.clip_contents import SYNTHETIC_TRUTH

Heard = frozenset[str]


def heard_classes(dataset: Any) -> dict[str, list[Heard] | Heard]:
    """Classes that sound, by clip.

    Args:
        dataset: of clips with ``files``, possibly behind wrappers with ``dataset``.

    Returns:
        Clip -> one set a frame where the data tell frame by frame, as synthetic clips do, or one
        set for the whole clip; empty where they tell nothing.
    """
    own = dataset
    while not hasattr(own, "files") and hasattr(own, "dataset"):
        own = own.dataset
    files = getattr(own, "files", ())
    by_frame = _synthetic(Path(getattr(own, "root", "")) / SYNTHETIC_TRUTH)
    heard: dict[str, list[Heard] | Heard] = {}
    for clip, held in zip(own.clips if files else (), files, strict=True):
        drawn = by_frame.get(held.audio.parent.name)
        heard[clip] = drawn if drawn is not None else frozenset(getattr(held, "sources", ()))
    return heard


def _synthetic(path: Path) -> dict[str, list[Heard]]:
    """Sounding classes of every frame of synthetic clips; empty for other data."""
    if not path.is_file():
        return {}
    return {
        clip["uid"]: [
            frozenset(name for name, sounds in zip(clip["objects"], row, strict=True) if sounds)
            for row in clip["sounding"]
        ]
        for clip in json.loads(path.read_text(encoding="utf-8"))["clips"]
    }
