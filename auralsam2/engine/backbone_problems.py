"""What a config asks of a backbone that says that it has not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mmengine.config import Config

from auralsam2.registry import BACKBONES


def backbone_problems(cfg: Config) -> Iterator[str]:
    """By its ``size_multiple``, ``has_memory`` and ``num_levels``; it is not built."""
    model, side = cfg.model, cfg.data.image_size
    if not isinstance(model.get("backbone"), Mapping):
        return
    name = model.backbone["type"]
    backbone = BACKBONES.lookup(name)
    multiple = getattr(backbone, "size_multiple", 1)
    if side % multiple:
        near = max(multiple, round(side / multiple) * multiple)
        yield (
            f"data.image_size must be a multiple of {multiple} for {name}, such as {near}, "
            f"got {side}"
        )
    tracker, pyramid = model.get("tracker"), model.get("pyramid")
    if tracker and tracker.get("use_memory", True) and not getattr(backbone, "has_memory", True):
        yield (
            f"model.tracker.use_memory must be False for {name}, which has no memory of earlier "
            "frames"
        )
    given = getattr(backbone, "num_levels", 3)
    if pyramid and (asked := pyramid.get("num_levels", 3)) > given:
        yield (
            f"model.pyramid.num_levels must be {given} for {name}, which has no finer maps, "
            f"got {asked}"
        )
