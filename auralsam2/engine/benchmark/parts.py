"""Which calls are which part of a step: by name where a model, a data set or an optimizer has them.

What a model has is found by the names that all methods use for their steps and parts; a network of
its own that is called none of these gets a row under its own name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from torch import nn

REST, MODEL, BACKWARD = "other", "model, other", "backward"

Watched = tuple[Any, str, str]
"""Owner, attribute and part."""

OF_MODEL = {
    "data_preprocessor": "transfer",
    "encode": "encode",
    "encode_heard": "encode",
    "backbone": "encode",
    "image_encoder": "encode",
    "audio_encoder": "audio encoder",
    "audio_adapter": "audio encoder",
    "text_encoder": "text encoder",
    "text_adapter": "text encoder",
    "listen": "fuser",
    "fuser": "fuser",
    "prompts": "prompts",
    "sparse_prompts": "prompts",
    "dense_prompts": "prompts",
    "tracker": "track",
    "mask_losses": "losses",
    "losses_of": "losses",
    "embed": "losses",
    "projector": "losses",
    "mask_loss": "losses",
    "mixer_loss": "losses",
    "contrastive_loss": "losses",
    "results": "results",
}
"""Network or method of a model -> its part; other networks are parts by their own names."""

OF_SAM2 = {
    "raw_pyramid": "encode",
    "decode": "mask decoder",
    "_prepare_memory_conditioned_features": "memory attention",
    "_encode_new_memory": "memory encoder",
}
"""Method of a SAM2 -> its part."""

OF_OPTIMIZER = {"backward": BACKWARD, "step": "optimizer", "zero_grad": "optimizer"}


def of_model(model: nn.Module) -> Iterator[Watched]:
    """What is watched of a model."""
    yield model, "forward", MODEL
    for name, part in OF_MODEL.items():
        yield from _calls(model, name, part)
    network = getattr(getattr(model, "backbone", None), "network", None)
    if network is not None:
        yield from ((network, name, part) for name, part in OF_SAM2.items())
    for name, _ in model.named_children():
        if name not in OF_MODEL:
            yield from _calls(model, name, name.replace("_", " "))


def _calls(owner: Any, name: str, part: str) -> Iterator[Watched]:
    """Calls of a network, of all in a list of them, or of a method."""
    found = getattr(owner, name, None)
    if isinstance(found, (nn.ModuleList, nn.ModuleDict)):
        for child in found.children():
            yield child, "forward", part
    elif isinstance(found, nn.Module):
        yield found, "forward", part
    elif found is not None:
        yield owner, name, part


def of_data() -> Iterator[Watched]:
    """What is watched of readers of clips, which all read and decode by the same calls."""
    import cv2

    from auralsam2.data.datasets import clip_dataset
    from auralsam2.data.datasets.clip_dataset import ClipDataset
    from auralsam2.data.images import Resizing
    from auralsam2.data.transforms.base import Augmentation

    yield Path, "read_bytes", "read files"
    yield cv2, "imdecode", "decode image"
    yield ClipDataset, "_log_mel", "sound"
    yield Resizing, "resize_frames", "resize"
    yield Resizing, "resize_labels", "resize"
    yield clip_dataset, "nearest", "resize"
    yield Augmentation, "__call__", "augment"


def of_optimizer(wrapper: Any) -> Iterator[Watched]:
    """What is watched of an optimizer wrapper."""
    for name, part in OF_OPTIMIZER.items():
        yield wrapper, name, part


def of_metrics(metrics: Sequence[Any]) -> Iterator[Watched]:
    """What is watched of metrics."""
    for metric in metrics:
        yield metric, "process", "metrics"
