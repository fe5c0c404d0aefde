"""How many floating-point operations a model needs for a frame, whole and without its encoder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from auralsam2.data.collate import collate_clips
from auralsam2.engine.benchmark.meters import operation_counter
from auralsam2.engine.efficiency import ENCODERS
from auralsam2.engine.evaluate import nothing_kept, with_attribute
from auralsam2.engine.run_record import RunRecord

GIGA = 1e9


def count_operations(model: BaseModel, clip: Mapping[str, Any]) -> dict[str, float]:
    """Count the operations of one evaluated frame, in units of 10^9.

    Matrix products, convolutions and attention count, two operations a multiply-add; what works
    element by element, resizes or normalises does not. A clip's frames share what is done once a
    clip.

    Args:
        model: called as AuralSAM2 is.
        clip: an item of a data set.

    Returns:
        ``gflops`` of the whole model; ``decoder_gflops``, the same with the frames already
        encoded, of a model that encodes them apart.
    """
    batch, num_frames = collate_clips([dict(clip)]), len(clip["frames"])
    training = model.training
    model.eval()
    with (
        torch.no_grad(),
        nothing_kept(model),
        torch.compiler.set_stance("force_eager"),  # compiled code would not be seen
        operation_counter() as counter,
        _watched(model, counter) as encoding,
    ):
        model.val_step(batch)
    model.train(training)
    whole, unit = counter.get_total_flops(), num_frames * GIGA
    counted = {"gflops": whole / unit}
    if encoding:
        counted["decoder_gflops"] = (whole - sum(encoding)) / unit
    return counted


@contextmanager
def _watched(model: nn.Module, counter: FlopCounterMode) -> Iterator[list[int]]:
    """Yield the operations of every call of a model's image encoder."""
    found: list[int] = []

    def counted(encode: Callable[..., Any], *inputs: Any) -> Any:
        before = counter.get_total_flops()
        maps = encode(*inputs)
        found.append(counter.get_total_flops() - before)
        return maps

    with ExitStack() as replaced:
        for name in ENCODERS:
            if callable(encode := getattr(model, name, None)):
                replaced.enter_context(with_attribute(model, name, partial(counted, encode)))
        yield found


def enter_operations(
    record: RunRecord, model: BaseModel, cfg: Config, datasets: Mapping[str, Any]
) -> None:
    """Count those of the first test clip, unless ``evaluation.measure_speed`` is off.

    The record gets them in ``cost``, and the clip's size in ``environment["operations"]``.
    """
    if not cfg.evaluation.get("measure_speed", True):
        return
    clip = next(iter(datasets.values()))[0]
    record.cost |= {name: round(value, 6) for name, value in count_operations(model, clip).items()}
    record.environment["operations"] = {
        "num_frames": len(clip["frames"]),
        "image_size": int(clip["frames"].shape[-1]),
    }
