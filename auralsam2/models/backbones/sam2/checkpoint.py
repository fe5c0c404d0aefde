"""Load SAM2 weights strictly and say what matched."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from torch import nn

from auralsam2.models.backbones.sam2.sizes import SIZES
from auralsam2.models.weights import locate, read_state
from auralsam2.weight_files import BUILTIN, SAM2_SOURCE

CONFIG_KEY = "model.backbone.checkpoint"


class Coverage(NamedTuple):
    """Which keys of a checkpoint met which keys of the network.

    Attributes:
        matched: same key, same shape.
        missing: only in the network; these parameters keep their random start.
        unexpected: only in the checkpoint.
        misshapen: same key, other shape, as ``key: checkpoint shape, network shape``.
    """

    matched: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshapen: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether checkpoint and network agree in every key and shape."""
        return not (self.missing or self.unexpected or self.misshapen)

    def __str__(self) -> str:
        lines = [f"{len(self.matched)} matched"]
        for name in ("missing", "unexpected", "misshapen"):
            keys = getattr(self, name)
            shown = ", ".join(keys[:4]) + (", ..." if len(keys) > 4 else "")
            lines.append(f"{len(keys)} {name}" + (f" ({shown})" if keys else ""))
        return "; ".join(lines)


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


def load_weights(network: nn.Module, path: Path, allow_partial: bool = False) -> Coverage:
    """Load a checkpoint into a network.

    Args:
        network: takes every matching key.
        path: of the checkpoint.
        allow_partial: accept missing, unexpected and misshapen keys.

    Returns:
        What matched.

    Raises:
        ValueError: where the file is unreadable, or covers the network only in part and
            ``allow_partial`` is off; then nothing is loaded.
    """
    state, own = read_state(path), network.state_dict()
    shared = [key for key in own if key in state]
    misshapen = [key for key in shared if own[key].shape != state[key].shape]
    report = Coverage(
        matched=tuple(key for key in shared if key not in misshapen),
        missing=tuple(key for key in own if key not in state),
        unexpected=tuple(key for key in state if key not in own),
        misshapen=tuple(f"{k}: {tuple(state[k].shape)}, {tuple(own[k].shape)}" for k in misshapen),
    )
    if not report.complete and not allow_partial:
        raise ValueError(
            f"'{path}' does not cover the network: {report}. Is it of another size or version? To "
            "load what matches, set `model.backbone.allow_partial` to True"
        )
    network.load_state_dict({key: state[key] for key in report.matched}, strict=False)
    return report
