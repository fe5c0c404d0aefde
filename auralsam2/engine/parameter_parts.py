"""How many parameters the parts of a model have, and how many of them are trained.

Parts are the same for all methods, so that a table can put them side by side: what a method calls
its own is found by the beginning of a parameter's name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_SAM2, _HOOKED = "backbone.network", "backbone.network.model"
_BEGINNINGS = {
    "image_encoder": (
        *("image_encoder", "necks"),
        *(f"{_SAM2}.image_encoder", f"{_HOOKED}.vision_encoder"),
    ),
    "audio_encoder": ("audio_encoder", "audio_adapter", "audio_projection", "sound_classifier"),
    "text_encoder": ("text_encoder", "text_adapter"),
    "fuser": ("fuser", "fusion", "fusions", "cues"),
    "detector": ("detector",),
    "prompts": ("sparse_prompts", "dense_prompts", "mask_prompt", "audio_prompt"),
    "adapters": ("adapters", "encoder_adapters", "decoder_adapters"),
    "mask_decoder": (
        *("head", "steps"),
        *(f"{_SAM2}.sam_mask_decoder", f"{_SAM2}.sam_prompt_encoder"),
        *(f"{_HOOKED}.mask_decoder", f"{_HOOKED}.prompt_encoder"),
        *(f"{_HOOKED}.shared_image_embedding",),
    ),
    "memory": ("backbone",),
    "projector": ("projector",),
}
OTHER = "other"
PARTS = (*_BEGINNINGS, OTHER)
"""Of a model, in the order of a table. ``mask_decoder`` holds SAM2's prompt encoder, ``memory``
whatever else a backbone has: attention to what is remembered, its encoder, object pointers."""
_LONGEST_FIRST = sorted(
    ((f"{name}.", part) for part, names in _BEGINNINGS.items() for name in names),
    key=lambda pair: -len(pair[0]),
)


def part_of(name: str) -> str:
    """Return the part that a parameter belongs to, by its dotted name in the model."""
    return next((part for begin, part in _LONGEST_FIRST if name.startswith(begin)), OTHER)


def parameters_by_part(parameters: Iterable[tuple[str, Any]]) -> dict[str, dict[str, int]]:
    """Count a model's ``named_parameters()``.

    Returns:
        Part -> ``total`` and ``trainable``, of parts that have parameters, in the order of `PARTS`.
    """
    counts = {part: {"total": 0, "trainable": 0} for part in PARTS}
    for name, parameter in parameters:
        own = counts[part_of(name)]
        own["total"] += parameter.numel()
        own["trainable"] += parameter.numel() * parameter.requires_grad
    return {part: own for part, own in counts.items() if own["total"]}
