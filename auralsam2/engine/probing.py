"""Run a trained model under several sounds and hand out what its decoder attends to."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from numpy.typing import NDArray
from torch import nn

from auralsam2.data.datasets.wrapped import on_common_clips
from auralsam2.engine.evaluate import clip_loader, frames_encoded_once, with_attribute
from auralsam2.models.decoder_rows import CannotProbeError, DecoderCalls, DecoderRow, coverage

TRUE = "true"
NO_PROMPTS = "no prompts"
# Pixels of a frame times clips, of a batch that any machine can hold.
_CLIP_PIXELS = 16 * 128**2
# Numbers in the image embeddings that go through the decoder at once.
_MOST_AT_ONCE = 2**22

Array = NDArray[np.float32]


class Reading(NamedTuple):
    """One decoder site of one row; H heads, K tokens (output tokens first), N positions."""

    attention: Array  # (H, K, N), rows sum to one
    output: Array  # (K, C) what the tokens read
    tokens: Array  # (K, C) queries before their projection
    keys: Array  # (N, C) image tokens


class FrameReadings(NamedTuple):
    """One frame, or one object of it, under every condition.

    Attributes:
        clip: name.
        frame: index.
        coverage: (N,) share of the true mask in every position of the key grid; of the object's
            own mask in a model that decodes objects one by one.
        conditions: condition -> one reading a site; see `decoder_readings`.
        swapped_at: (condition, site) -> readings with that sound's prompts at that site alone.
    """

    clip: str
    frame: int
    coverage: Array
    conditions: dict[str, list[Reading]]
    swapped_at: dict[tuple[str, int], list[Reading]]


def decoder_readings(
    model: nn.Module, cfg: Config, datasets: Mapping[str, Any], *, max_clips: int | None = None
) -> Iterator[FrameReadings]:
    """Read the decoder's token-to-image attention on every labelled frame that is decoded.

    The sound is changed in the prompts alone: image embeddings, and the memory in them, are those
    of the true sound, so that a difference at a site comes from the prompts and not from the masks
    of earlier frames.

    Args:
        model: trained; any registered method that has ``decoder_rows``.
        cfg: its config.
        datasets: ``"true"`` and other sounds of the same clips; where some have lost clips that
            could not be read, the clips that all have are read.
        max_clips: stop there.

    Yields:
        Every frame, once for each of its objects where the model decodes them one by one, with its
        readings under ``"true"``, under the other names, and under ``"no prompts"``: the bare
        output tokens. Where nothing is changed by that the readings are equal.

    Raises:
        CannotProbeError: where the model's decoder cannot be looked into.
    """
    if not hasattr(model, "decoder_rows"):
        raise CannotProbeError(
            f"{type(model).__name__} has no decoder_rows: its decoder cannot be looked into"
        )
    model.eval()
    cfg = _with_larger_batches(model, cfg)
    common = on_common_clips(datasets)
    loaders = {name: iter(clip_loader(cfg, dataset)) for name, dataset in common.items()}
    left = float("inf") if max_clips is None else max_clips
    with frames_encoded_once(model):
        for batch in loaders[TRUE]:
            others = {name: next(loader) for name, loader in loaders.items() if name != TRUE}
            yield from _read_batch(model, batch, others, left)
            left -= len(batch["clip"])
            if left <= 0:
                return


def _with_larger_batches(model: Any, cfg: Config) -> Config:
    """Small frames take less time in larger batches than those of training."""
    if getattr(model, "join_clips", False):
        return cfg  # which clips share a batch makes a difference
    larger = copy.deepcopy(cfg)
    larger.data.batch_size = max(cfg.data.batch_size, _CLIP_PIXELS // cfg.data.image_size**2)
    return larger


def _read_batch(
    model: Any, batch: Mapping[str, Any], others: Mapping[str, Any], num_clips: float
) -> Iterator[FrameReadings]:
    """Read the labelled frames of the first clips of a batch."""
    from auralsam2.models.backbones.sam2.probe import select_rows

    rows, call = _frame_by_frame(model, batch)
    calls = {TRUE: call}
    # Nobody reads the images of another sound, and their memory takes time.
    with with_attribute(getattr(model, "tracker", None), "use_memory", False):
        for name, other in others.items():
            # Frames and truth stay, whatever the other data set says of them.
            heard = {**batch, "log_mel": other["log_mel"]}
            calls[name] = _frame_by_frame(model, heard, run=False)[1]
    labelled = [
        i
        for i, row in enumerate(rows)
        if row.clip < num_clips and batch["supervised"][row.clip, row.frame]
    ]
    if not labelled:
        return
    at_once = max(1, _MOST_AT_ONCE // call.image_embedding[0].numel())
    for start in range(0, len(labelled), at_once):
        part = labelled[start : start + at_once]
        by_sound = {name: select_rows(of_sound, part) for name, of_sound in calls.items()}
        readings = _conditions(_network(model).two_way, by_sound)
        yield from _frames([rows[i] for i in part], batch, readings)


@torch.no_grad()
def _frame_by_frame(
    model: Any, batch: Mapping[str, Any], *, run: bool = True
) -> tuple[list[DecoderRow], Any]:
    """What the transformer was given, as one call in the order of clips and their frames.

    A model may decode frames in another order or number at once where nothing is remembered.
    ``run`` is as in `recording`.
    """
    from auralsam2.models.backbones.sam2.probe import join_calls, recording, select_rows

    rows: DecoderCalls = model.decoder_rows(batch["masks"])
    network = _network(model)
    transformer, encoder = network.two_way, network.sam_prompt_encoder
    with recording(transformer, encoder, run=run) as calls:
        model.val_step(batch)
    found, stated = [len(call.tokens) for call in calls], [len(call) for call in rows]
    if found != stated:
        raise ValueError(
            f"{type(model).__name__} decodes {len(found)} times, {sum(found)} rows in all; its "
            f"decoder_rows say {len(stated)} times, {sum(stated)} rows"
        )
    if not calls:
        return [], None
    own = [row for call in rows for row in call]
    order = sorted(range(len(own)), key=lambda i: own[i][:2])  # objects of a frame stay as they are
    return [own[i] for i in order], select_rows(join_calls(calls), order)


def _conditions(transformer: Any, calls: Mapping[str, Any]) -> dict[Any, list[Any]]:
    """Condition, or condition and site -> one reading a site; one object where nothing changes."""
    from auralsam2.models.backbones.sam2.probe import differ, replay, swap_sites, without_prompts

    true = calls[TRUE]
    changed: dict[Any, Any] = {}
    for name, other in calls.items():
        if name != TRUE:
            changed[name] = swap_sites(true, other)
            for site in range(len(true.prompts)):
                changed[name, site] = swap_sites(true, other, [site])
    changed[NO_PROMPTS] = without_prompts(true)
    as_it_is = replay(transformer, true)
    return {TRUE: as_it_is} | {
        name: replay(transformer, call) if differ(true, call) else as_it_is
        for name, call in changed.items()
    }


def _frames(
    rows: Sequence[DecoderRow], batch: Mapping[str, Any], readings: Mapping[Any, Sequence[Any]]
) -> Iterator[FrameReadings]:
    side = round(readings[TRUE][0].keys.shape[1] ** 0.5)
    covered = coverage(rows, batch["masks"], side).cpu().numpy()
    arrays = {
        name: [Reading(*(x.float().cpu().numpy() for x in site)) for site in sites]
        for name, sites in readings.items()
    }
    for i, row in enumerate(rows):
        own = {name: [Reading(*(x[i] for x in site)) for site in s] for name, s in arrays.items()}
        yield FrameReadings(
            clip=batch["clip"][row.clip],
            frame=row.frame,
            coverage=covered[i],
            conditions={name: sites for name, sites in own.items() if isinstance(name, str)},
            swapped_at={name: sites for name, sites in own.items() if not isinstance(name, str)},
        )


def _network(model: Any) -> Any:
    return model.backbone.network
