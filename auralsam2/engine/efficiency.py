"""What an evaluated frame costs: seconds and operations, whole and without its image encoder."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from torch import nn

from auralsam2.data.collate import collate_clips
from auralsam2.engine.benchmark.meters import Operations, Seconds, machine, operation_counter
from auralsam2.engine.clicks import interactions, ways
from auralsam2.engine.evaluate import nothing_kept, with_attribute
from auralsam2.engine.run_record import RunRecord
from auralsam2.models.feature_cache import LastAnswer
from auralsam2.models.interaction import CannotClickError
from auralsam2.models.methods.base import ClipBatch

HEARING = "encode_heard"
"""What a model calls an image encoder of frames and sound."""
ENCODERS = ("encode", HEARING)
"""What a model calls its image encoder: of frames alone, or of frames and sound."""
GIGA = 1e9


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
        seconds: no repeat begins once the repeats of a measure have taken so long.
    """
    batch, num_frames = collate_clips([dict(clip)]), len(clip["frames"])
    device = next((value.device for value in model.parameters()), torch.device("cpu"))
    kept: dict[Any, Any] = {}

    def once(encode: Callable[..., Any], *inputs: Any) -> Any:
        if encode not in kept:
            kept[encode] = encode(*inputs)
        return kept[encode]

    def times() -> list[float]:
        return _times(lambda: model.val_step(batch), device, repeats, seconds)

    with _evaluating(model):
        taken = {"fps": times()}
        with _encoding_by(model, once):
            decoder = times()
        if kept:
            taken["decoder_fps"] = decoder
    here = machine(device)
    conditions = {
        "device": here["device"],
        "num_threads": here["num_threads"],
        "num_frames": num_frames,
        "image_size": int(clip["frames"].shape[-1]),
        "repeats": {name: len(times) for name, times in taken.items()},
    }
    medians = {name: statistics.median(times) for name, times in taken.items()}
    return Speed({name: num_frames / value for name, value in medians.items()}, conditions)


def _times(
    run: Callable[[], object], device: torch.device, repeats: int, seconds: float
) -> list[float]:
    """Seconds of every repeat behind a warm-up."""
    meter, times = Seconds(device), []
    run()
    meter.lap()
    while not times or (len(times) < repeats and sum(times) <= seconds):
        run()
        times.append(meter.lap())
    return times


def count_operations(model: BaseModel, clip: Mapping[str, Any]) -> dict[str, float]:
    """Count the operations of one evaluated frame of ``clip``, an item of a data set, in 10^9.

    Matrix products, convolutions and attention count, two operations a multiply-add; what works
    element by element, resizes or normalises does not. A clip's frames share what is done once a
    clip.

    Returns:
        ``gflops`` of the whole model; ``decoder_gflops``, the same with the frames already
        encoded, of a model that encodes them apart.
    """
    batch, unit = collate_clips([dict(clip)]), len(clip["frames"]) * GIGA
    encoding: list[float] = []

    def counted(encode: Callable[..., Any], *inputs: Any) -> Any:
        meter.lap()
        maps = encode(*inputs)
        encoding.append(meter.lap())
        return maps

    with (
        _evaluating(model),
        _encoding_by(model, counted),
        torch.compiler.set_stance("force_eager"),  # compiled code would not be seen
        operation_counter() as counter,
    ):
        meter = Operations(counter)
        model.val_step(batch)
    whole = counter.get_total_flops()
    found = {"gflops": whole / unit}
    if encoding:
        found["decoder_gflops"] = (whole - sum(encoding)) / unit
    return found


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
        with torch.no_grad(), with_attribute(model, "feature_cache", LastAnswer()):
            for heard in ways(model):
                interactions(model, data, heard)
                counts.append(sum(seen) / len(clip["frames"]))
    finally:
        handle.remove()
    return {"once": counts[0], "both": counts[-1]}


def enter_cost(
    record: RunRecord, model: BaseModel, cfg: Config, datasets: Mapping[str, Any]
) -> None:
    """Enter in a record what the first test clip costs.

    Unless ``evaluation.measure_speed`` is off these are ``speed``, operations in ``cost``, and
    their conditions in ``environment``; where ``evaluation.clicks`` asks for clicks, passes of the
    image encoder are in ``environment["encoder_passes"]``.
    """
    measured, clicked = cfg.evaluation.get("measure_speed", True), cfg.evaluation.get("clicks", 0)
    if not measured and not clicked:
        return
    clip = next(iter(datasets.values()))[0]
    if measured:
        speed, counted = measure_speed(model, clip), count_operations(model, clip)
        record.speed = {name: round(value, 3) for name, value in speed.frames_per_second.items()}
        record.cost |= {name: round(value, 6) for name, value in counted.items()}
        sizes = {key: speed.conditions[key] for key in ("num_frames", "image_size")}
        record.environment |= {"speed": speed.conditions, "operations": sizes}
    if clicked:
        with suppress(CannotClickError):  # the evaluation has said so
            record.environment["encoder_passes"] = encoder_passes(model, clip)


@contextmanager
def _evaluating(model: BaseModel) -> Iterator[None]:
    """Let a model meet everything for the first time, as an evaluation does."""
    training = model.training
    model.eval()
    with torch.no_grad(), nothing_kept(model):
        yield
    model.train(training)


@contextmanager
def _encoding_by(model: nn.Module, encode_by: Callable[..., Any]) -> Iterator[None]:
    """For a while, ``encode_by(encoder, *inputs)`` is called where a model calls an encoder."""
    with ExitStack() as replaced:
        for name in ENCODERS:
            if callable(encode := getattr(model, name, None)):
                replaced.enter_context(with_attribute(model, name, partial(encode_by, encode)))
        yield
