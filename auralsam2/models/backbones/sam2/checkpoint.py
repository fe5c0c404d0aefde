"""Which weights a SAM2 wants, and where they are published."""

from __future__ import annotations

from auralsam2.models.backbones.sam2.sizes import SIZES
from auralsam2.models.weights import locate
from auralsam2.weight_files import BUILTIN, SAM2_SOURCE

CONFIG_KEY = "model.backbone.checkpoint"
MISFIT = "Is it of another size or version?"
PARTIAL = "To load what matches, set `model.backbone.allow_partial` to True"
"""Hints where a file does not fit."""


def checkpoint_problem(
    size: str, version: str, checkpoint: str | None, random_weights: bool
) -> str:
    """What stands in the way of loading, found without building anything; empty if nothing."""
    published = SIZES[size].published.get(version) if size in SIZES else None
    where = (
        f"the published file is {published}, from {SAM2_SOURCE}"
        if published
        else f"the weights that come with this package are '{BUILTIN}sam2-mini'"
    )
    if checkpoint is None:
        if random_weights:
            return ""
        return (
            f"SAM2 {size!r} got checkpoint=None; {where}: set `{CONFIG_KEY}` to its path (or set "
            "`model.backbone.random_weights` to True to go without, on purpose)"
        )
    if random_weights:
        return f"SAM2 {size!r} got both checkpoint={checkpoint!r} and random_weights=True"
    if not locate(checkpoint).is_file():
        return f"no SAM2 weights at '{checkpoint}'; {where}: set `{CONFIG_KEY}` to its path"
    return ""
