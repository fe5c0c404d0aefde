"""What is seen and heard in clips, as far as their data say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.labels import LABEL_RULES, objects

SYNTHETIC_TRUTH = "synthetic.json"

Classes = frozenset[str]


class ClipContents(NamedTuple):
    """Classes of a clip."""

    heard: Classes  # what sounds in some second
    seen: Classes  # what can be seen, silent or not; where only sounding things are labelled, these
    by_frame: tuple[Classes, ...] = ()  # what sounds in each second, where the data tell; else none


def read_contents(dataset: Any) -> list[ClipContents]:
    """Contents of every clip of a data set.

    Args:
        dataset: a :class:`~auralsam2.data.datasets.clip_dataset.ClipDataset`, or another one with
            ``root``, ``files`` and ``sources_are_classes``.

    Raises:
        ValueError: where neither the data set nor a list of drawn objects names classes.
    """
    drawn = _drawn(Path(dataset.root))
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


def others_to_hear(
    barred: Sequence[Classes], heard: Sequence[Classes]
) -> Iterator[NDArray[np.bool_]]:
    """Yield for every clip which of the N clips may be heard in its place.

    Args:
        barred: classes that must not sound there, clip by clip.
        heard: classes that sound in each of the N clips.

    Yields:
        (N,), True where a clip has a sound and none of what is barred.
    """
    sounds = np.array([bool(names) for names in heard])
    clips_of: dict[str, list[int]] = {}
    for number, names in enumerate(heard):
        for name in names:
            clips_of.setdefault(name, []).append(number)
    for names in barred:
        fits = sounds.copy()
        for name in names:
            fits[clips_of.get(name, [])] = False
        yield fits


def heard_classes(dataset: Any) -> dict[str, list[Classes] | Classes]:
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
    drawn = _drawn(Path(getattr(own, "root", "")))
    heard: dict[str, list[Classes] | Classes] = {}
    for clip, held in zip(own.clips if files else (), files, strict=True):
        contents = drawn.get(held.audio.parent.name)
        whole = frozenset(getattr(held, "sources", ()))
        heard[clip] = whole if contents is None else list(contents.by_frame)
    return heard


def object_areas(dataset: Any, index: int) -> list[float]:
    """Shares of the frame that are object in the supervised frames of a clip, of its labels alone.

    Args:
        dataset: a :class:`~auralsam2.data.datasets.clip_dataset.ClipDataset`.
        index: of the clip.

    Raises:
        DataError: where a label cannot be read.
    """
    clip = dataset.files[index]
    levels = [LABEL_RULES[dataset.label_rule](path) for path in clip.labels]
    masks = [objects(level, dataset.keep_white) == 1 for level in levels]
    # Where nothing is shown there are no labels; where white is kept, such frames are not known.
    num_frames = 1 if clip.first_only else len(clip.frames)
    blank = 0 if dataset.keep_white else num_frames - len(masks)
    return [float(mask.mean()) for mask in masks] + [0.0] * blank


def _drawn(root: Path) -> dict[str, ClipContents]:
    """Contents of synthetic clips by the name of their folder; empty for other data."""
    path = root / SYNTHETIC_TRUTH
    if not path.is_file():
        return {}
    contents = {}
    for clip in json.loads(path.read_text(encoding="utf-8"))["clips"]:
        names = clip["objects"]
        by_frame = tuple(
            frozenset(name for name, sounds in zip(names, row, strict=True) if sounds)
            for row in clip["sounding"]
        )
        heard = frozenset().union(*by_frame)
        contents[clip["uid"]] = ClipContents(heard, frozenset(names), by_frame)
    return contents
