"""How fast a model is: frames a second, whole and without its image encoder."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from torch import nn

from auralsam2.data.collate import collate_clips
from auralsam2.engine.clicks import interactions, ways
from auralsam2.engine.evaluate import nothing_kept, with_attribute
from auralsam2.engine.run_record import RunRecord
from auralsam2.models.feature_cache import LastPyramid
from auralsam2.models.interaction import CannotClickError
from auralsam2.models.methods.base import ClipBatch

HEARING = "encode_heard"
"""What a model calls an image encoder of frames and sound."""
ENCODERS = ("encode", HEARING)
"""What a model calls its image encoder: of frames alone, or of frames and sound."""


class Speed(NamedTuple):
    """Speed of a model on one clip."""

    # ``fps`` of the whole model, from pixels and log-mels in main memory to masks at their own
    # size; ``decoder_fps``, the same with the frames already encoded, so what sound, fusion,
    # decoder and memory cost. A model that calls none of ``ENCODERS`` has no ``decoder_fps``.
    frames_per_second: dict[str, float]
    # ``device``, ``num_threads`` (of torch on the CPU), ``num_frames`` and ``image_size`` of the
    # clip, ``repeats`` of each measure.
    conditions: dict[str, Any]


def measure_speed(
    model: BaseModel,
    clip: Mapping[str, Any],
    repeats: int = 5,
    seconds: float = 0.5,
) -> Speed:
    """Time a model on a batch of one clip: median of repeats after a warm-up, data loading apart.

    Nothing is cached between repeats but what ``decoder_fps`` takes for granted. Other load on
    the machine, such as the other runs of a grid, is part of the numbers.

    Args:
        model: called as AuralSAM2 is, on the device to measure.
        clip: an item of a data set.
        repeats: at most so many of each measure, and at least one.
        seconds: no repeat begins later than so long after the first one.
    """
    batch, num_frames = collate_clips([dict(clip)]), len(clip["frames"])
    training = model.training
    model.eval()
    with torch.no_grad(), nothing_kept(model):
        device = next((value.device for value in model.parameters()), torch.device("cpu"))
        taken = {"fps": _times(lambda: model.val_step(batch), device, repeats, seconds)}
        with _encoded_before(model) as called:
            decoder = _times(lambda: model.val_step(batch), device, repeats, seconds)
        if called:
            taken["decoder_fps"] = decoder
    model.train(training)
    conditions = {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "num_threads": torch.get_num_threads(),
        "num_frames": num_frames,
        "image_size": int(clip["frames"].shape[-1]),
        "repeats": {name: len(times) for name, times in taken.items()},
    }
    medians = {name: statistics.median(times) for name, times in taken.items()}
    return Speed({name: num_frames / value for name, value in medians.items()}, conditions)


def enter_speed(
    record: RunRecord, model: BaseModel, cfg: Config, datasets: Mapping[str, Any]
) -> None:
    """Measure a model on the first test clip, unless ``evaluation.measure_speed`` is off.

    The record gets ``speed``, and the conditions in ``environment["speed"]``.
    """
    if not cfg.evaluation.get("measure_speed", True):
        return
    speed = measure_speed(model, next(iter(datasets.values()))[0])
    record.speed = {name: round(value, 3) for name, value in speed.frames_per_second.items()}
    record.environment["speed"] = speed.conditions


def encoder_passes(model: BaseModel, clip: Mapping[str, Any]) -> dict[str, float]:
    """Count how often a model's image encoder sees a frame of a clip that a person clicks on.

    Returns:
        ``once``, for clicks with the sound, or of a model that hears none without, and ``both``,
        for those with and those without.

    Raises:
        CannotClickError: where clicks cannot enter, or there is no encoder of a SAM2.
    """
    data = ClipBatch(**model.data_preprocessor(collate_clips([dict(clip)]), False))
    network = getattr(getattr(model, "backbone", None), "network", None)
    if (encoder := getattr(network, "image_encoder", None)) is None:
        raise CannotClickError(f"{type(model).__name__} has no image encoder of a SAM2")
    seen: list[int] = []
    handle = encoder.register_forward_pre_hook(lambda _, frames: seen.append(len(frames[0])))
    counts = []
    try:
        with torch.no_grad(), with_attribute(model, "feature_cache", LastPyramid()):
            for heard in ways(model):
                interactions(model, data, heard)
                counts.append(sum(seen) / len(clip["frames"]))
    finally:
        handle.remove()
    return {"once": counts[0], "both": counts[-1]}


def enter_passes(
    record: RunRecord, model: BaseModel, cfg: Config, datasets: Mapping[str, Any]
) -> None:
    """Count them on the first test clip where ``evaluation.clicks`` asks for clicks.

    The record gets them as ``environment["encoder_passes"]``.
    """
    if not cfg.evaluation.get("clicks", 0):
        return
    with suppress(CannotClickError):  # the evaluation has said so
        record.environment["encoder_passes"] = encoder_passes(
            model, next(iter(datasets.values()))[0]
        )


def _times(
    run: Callable[[], object], device: torch.device, repeats: int, seconds: float
) -> list[float]:
    """Seconds of every repeat behind a warm-up."""
    run()
    wait_for(device)
    started, times = time.perf_counter(), []
    for _ in range(max(1, repeats)):
        begun = time.perf_counter()
        run()
        wait_for(device)
        times.append(time.perf_counter() - begun)
        if time.perf_counter() - started > seconds:
            break
    return times


def wait_for(device: torch.device) -> None:
    """Let a GPU end what it was told to do; its kernels run behind the calls."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@contextmanager
def _encoded_before(model: nn.Module) -> Iterator[dict[str, Any]]:
    """Let encoders give what they gave for the first clip; yields that by name, once called."""
    kept: dict[str, Any] = {}
    replaced = [name for name in ENCODERS if callable(getattr(model, name, None))]
    for name in replaced:
        setattr(model, name, partial(_once, kept, name, getattr(model, name)))
    try:
        yield kept
    finally:
        for name in replaced:
            delattr(model, name)


def _once(kept: dict[str, Any], name: str, encode: Callable[..., Any], *inputs: Any) -> Any:
    if name not in kept:
        kept[name] = encode(*inputs)
    return kept[name]
