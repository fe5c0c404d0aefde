"""Run a trained model under several sounds and hand out what its decoder attends to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from auralsam2.engine.evaluate import clip_loader
from auralsam2.models.injection import TOKENS

TRUE = "true"
NO_PROMPTS = "no prompts"
NUM_OUTPUT_TOKENS = max(part.stop for part in TOKENS.values())

Array = NDArray[np.float32]


class Reading(NamedTuple):
    """One decoder site of one frame; H heads, K tokens (output tokens first), N positions.

    Attributes:
        attention: (H, K, N), rows sum to one.
        output: (K, C) what the tokens read.
        tokens: (K, C) queries before their projection.
        keys: (N, C) image tokens.
    """

    attention: Array
    output: Array
    tokens: Array
    keys: Array


class FrameReadings(NamedTuple):
    """One frame under every condition.

    Attributes:
        clip: name.
        frame: index.
        coverage: (N,) share of the true mask in every position of the key grid.
        conditions: condition -> one reading a site; see `read_frames`.
        swapped_at: (condition, site) -> readings with that sound's prompts at that site alone.
    """

    clip: str
    frame: int
    coverage: Array
    conditions: dict[str, list[Reading]]
    swapped_at: dict[tuple[str, int], list[Reading]]


def read_frames(
    model: nn.Module,
    cfg: Config,
    datasets: Mapping[str, Any],
    *,
    max_clips: int | None = None,
) -> Iterator[FrameReadings]:
    """Read the decoder's token-to-image attention on every labelled frame.

    The sound is changed in the prompts alone: image embeddings, and the memory in them, are those
    of the true sound, so that a difference at a site comes from the prompts and not from the masks
    of earlier frames.

    Args:
        model: trained; any registered method with a backbone and a tracker.
        cfg: its config.
        datasets: ``"true"`` and other sounds of the same clips in the same order.
        max_clips: stop there.

    Yields:
        Every frame with, under ``"true"`` and the other names, its readings; under
        ``"no prompts"`` those of the bare output tokens. Only ``"true"`` where the sound changes
        nothing that the decoder is given.

    Raises:
        ValueError: where the model does not decode every frame exactly once.
    """
    model.eval()
    loaders = {name: iter(clip_loader(cfg, dataset)) for name, dataset in datasets.items()}
    seen = 0
    for batch in loaders[TRUE]:
        others = {name: next(loader) for name, loader in loaders.items() if name != TRUE}
        calls = {name: _calls(model, b) for name, b in {TRUE: batch, **others}.items()}
        for frame in sorted(calls[TRUE]):
            by_sound = {name: of_frames[frame] for name, of_frames in calls.items()}
            readings = _conditions(model, by_sound)
            for i, clip in enumerate(batch["clip"]):
                if batch["supervised"][i, frame] and (max_clips is None or seen + i < max_clips):
                    yield _frame(clip, frame, batch["masks"][i, frame], readings, i)
        seen += len(batch["clip"])
        if max_clips is not None and seen >= max_clips:
            return


def _calls(model: Any, batch: Mapping[str, Any]) -> dict[int, Any]:
    """Frame -> what the transformer was given, all clips of the batch together."""
    from auralsam2.models.backbones.sam2.memory import frame_order
    from auralsam2.models.backbones.sam2.probe import recording

    num_frames = batch["frames"].shape[1]
    with torch.no_grad(), recording(_transformer(model)) as calls:
        model.val_step(batch)
    if len(calls) != num_frames:
        raise ValueError(
            f"{type(model).__name__} decodes {len(calls)} times for {num_frames} frames: attention "
            "can only be read of a model that decodes every frame once"
        )
    order = frame_order(num_frames, model.tracker.conditioning_frame(num_frames))
    return dict(zip(order, calls, strict=True))


def _conditions(model: Any, calls: Mapping[str, Any]) -> dict[Any, list[Any]]:
    """Condition, or condition and site -> one reading a site."""
    from auralsam2.models.backbones.sam2.probe import replay, swap_sites

    transformer, true = _transformer(model), calls[TRUE]
    found: dict[Any, list[Any]] = {TRUE: replay(transformer, true)}
    changed = {name: swap_sites(true, other) for name, other in calls.items() if name != TRUE}
    if not any(_differ(true, other) for other in changed.values()):
        return found
    for name, other in changed.items():
        found[name] = replay(transformer, other)
        for site in range(len(true.prompts)):
            found[name, site] = replay(transformer, swap_sites(true, other, [site]))
    bare = true._replace(tokens=true.tokens[:, :NUM_OUTPUT_TOKENS], prompts=(), injection=None)
    found[NO_PROMPTS] = replay(transformer, bare)
    return found


def _differ(call: Any, other: Any) -> bool:
    pairs = [(call.tokens, other.tokens)]
    for own, theirs in zip(call.prompts, other.prompts, strict=True):
        pairs += zip(own, theirs, strict=True)
    return any(a is not None and not torch.equal(a, b) for a, b in pairs)


def _frame(
    clip: str, frame: int, mask: Tensor, readings: Mapping[Any, Sequence[Any]], i: int
) -> FrameReadings:
    side = round(readings[TRUE][0].keys.shape[1] ** 0.5)
    coverage = F.interpolate(mask[None, None].float(), size=(side, side), mode="area").flatten()
    own = {
        name: [Reading(*(x[i].float().cpu().numpy() for x in reading)) for reading in sites]
        for name, sites in readings.items()
    }
    return FrameReadings(
        clip=clip,
        frame=frame,
        coverage=coverage.cpu().numpy(),
        conditions={name: sites for name, sites in own.items() if isinstance(name, str)},
        swapped_at={name: sites for name, sites in own.items() if not isinstance(name, str)},
    )


def _transformer(model: Any) -> Any:
    return model.backbone.network.sam_mask_decoder.transformer
