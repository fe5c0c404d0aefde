"""Join clips to a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

# Their sizes differ from clip to clip, or they are no tensors.
LISTED = ("native_masks", "native_semantic", "clip", "text", "waveform")
SKIPPED = "skipped"
"""Corrupt clips that others stand for; present where there are any."""


def collate_clips(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Stack tensors along a new first axis; keep native masks, names and texts as lists.

    What was ``skipped`` on the way to any of the items becomes one list of the batch.

    Raises:
        ValueError: where clips of different lengths or sizes meet in one batch.
    """
    batch: dict[str, Any] = {}
    skipped = [corrupt for item in items for corrupt in item.get(SKIPPED, ())]
    if skipped:
        batch[SKIPPED] = skipped
    for key in items[0]:
        if key == SKIPPED:
            continue
        values = [item[key] for item in items]
        if key in LISTED:
            batch[key] = values
            continue
        shapes = {tuple(v.shape) for v in values}
        if len(shapes) > 1:
            clips = ", ".join(f"{item['clip']} {tuple(item[key].shape)}" for item in items)
            raise ValueError(
                f"clips of one batch differ in '{key}': {clips}; set data.batch_size to 1, or "
                "keep clips of different lengths in different data sets"
            )
        batch[key] = torch.stack(values)
    return batch
