"""Some clips of a data set, and those that several data sets have in common."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any


class ChosenClips:
    """Some clips of a data set; everything else is asked of the data set.

    Args:
        dataset: with ``clips``.
        clips: names, in the order wanted.
    """

    def __init__(self, dataset: Any, clips: Sequence[str]) -> None:
        numbers = {name: index for index, name in enumerate(dataset.clips)}
        self.dataset, self.clips = dataset, list(clips)
        self.indices = [numbers[clip] for clip in clips]

    def __getattr__(self, name: str) -> Any:
        # An object that is being unpickled has no data set yet.
        if name == "dataset" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        """An item of the data set."""
        return self.dataset[self.indices[index]]


def on_common_clips(datasets: Mapping[str, Any]) -> dict[str, Any]:
    """The data sets, each with the clips that all of them have, in the order of the first.

    A control may have left out clips that its split has, where the sound of a partner could not be
    read; item i of all would no longer be the same clip. A warning says how many clips go.

    Args:
        datasets: by name, at least one, with ``clips``.
    """
    first, *others = [list(dataset.clips) for dataset in datasets.values()]
    if all(clips == first for clips in others):
        return dict(datasets)
    held = [set(clips) for clips in others]
    common = [clip for clip in first if all(clip in clips for clips in held)]
    logging.getLogger(__name__).warning(
        "%s: not of the same clips, compared on the %d that all have",
        ", ".join(datasets),
        len(common),
    )
    return {name: ChosenClips(dataset, common) for name, dataset in datasets.items()}
