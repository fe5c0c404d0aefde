"""What is seen and heard in clips, as far as their data say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

SYNTHETIC_TRUTH = "synthetic.json"


class ClipContents(NamedTuple):
    """Classes of a clip.

    Attributes:
        heard: what sounds in some second.
        seen: what can be seen, silent or not; where only sounding things are labelled, these.
    """

    heard: frozenset[str]
    seen: frozenset[str]


def read_contents(dataset: Any) -> list[ClipContents]:
    """Contents of every clip of a data set.

    Args:
        dataset: a :class:`~auralsam2.data.datasets.clip_dataset.ClipDataset`, or another one with
            ``root``, ``files`` and ``sources_are_classes``.

    Raises:
        ValueError: where neither the data set nor a list of drawn objects names classes.
    """
    drawn = _drawn(Path(dataset.root) / SYNTHETIC_TRUTH)
    # A clip lies in the folder of its name; several expressions may share a clip.
    names = [clip.audio.parent.name for clip in dataset.files]
    if drawn.keys() >= set(names):
        return [drawn[name] for name in names]
    if not getattr(dataset, "sources_are_classes", False):
        raise ValueError(
            f"{type(dataset).__name__} does not tell which classes its clips show, so that no "
            "sound is known to come from elsewhere; take 'silence', 'noise' or 'swapped' in place "
            "of 'offscreen'"
        )
    return [ClipContents(clip.sources, clip.sources) for clip in dataset.files]


def _drawn(path: Path) -> dict[str, ClipContents]:
    """Contents of synthetic clips by the name of their folder; empty for other data."""
    if not path.is_file():
        return {}
    contents = {}
    for clip in json.loads(path.read_text(encoding="utf-8"))["clips"]:
        names = clip["objects"]
        sounding = [any(column) for column in zip(*clip["sounding"], strict=True)]
        heard = [name for name, sounds in zip(names, sounding, strict=True) if sounds]
        contents[clip["uid"]] = ClipContents(frozenset(heard), frozenset(names))
    return contents
