"""Names of the authors' older exports, read and written; to the current ones and back.

``audio_prompter``: the modules of the levels are counted from one, as in ``train_f_block1``.
``training_layers``: every trained module has only its place in a list. Exports of the first kind
may hold the second kind's names too, for the same tensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from auralsam2.engine.conversion.names import FUSER_PREFIX
from auralsam2.models.weights.loading import without_wrappers

NAMINGS = ("current", "audio_prompter", "training_layers")
OLDER_PREFIX = "audio_prompter."
NUM_LEVELS = 3
"""The numbers of ``training_layers`` are those of three levels."""

AUDIO_PROMPTER = {
    f"{older}{level + 1}": f"{current}.{level}"
    for older, current, count in (
        ("train_f_patch_embed", "patch_embeds", NUM_LEVELS),
        ("train_f_block", "f_blocks", NUM_LEVELS),
        ("train_a_block", "a_blocks", NUM_LEVELS),
        ("train_f_a_block", "fusion_modules", NUM_LEVELS),
        ("train_smooth", "smooth_convs", NUM_LEVELS - 1),
    )
    for level in range(count)
}

_ORDER = (
    *(f"patch_embeds.{level}" for level in range(NUM_LEVELS)),
    *(
        f"{module}.{level}"
        for level in range(NUM_LEVELS)
        for module in ("f_blocks", "a_blocks", "fusion_modules")
    ),
    *(f"smooth_convs.{level}" for level in range(NUM_LEVELS - 1)),
    *("train_proj_v1", "train_proj_a1", "text_proj"),
)
TRAINING_LAYERS = {
    **{f"training_layers.{number}": module for number, module in enumerate(_ORDER)},
    "finetuning_layers.0": "vgg",
}
NUMBERED = ("training_layers.", "finetuning_layers.")


class Named(NamedTuple):
    """The authors' tensors under current names."""

    state: dict[str, Tensor]  # current name -> tensor; full models' prefix ``aural_fuser.`` is off
    origin: dict[str, str]  # current name -> name in the file
    duplicates: tuple[str, ...]  # names in the file of tensors that it holds under another name too


def current_name(key: str) -> str:
    """The current name, without the fuser's prefix, of a name of any age."""
    key = without_wrappers(key).removeprefix(FUSER_PREFIX).removeprefix(OLDER_PREFIX)
    return _renamed(key, AUDIO_PROMPTER | TRAINING_LAYERS)


def older_name(key: str, naming: str) -> str:
    """The name of a fuser's tensor, given without prefix, in a naming; inverse of the above."""
    table = {"audio_prompter": AUDIO_PROMPTER, "training_layers": TRAINING_LAYERS}.get(naming, {})
    return _renamed(key, {current: older for older, current in table.items()})


def _renamed(key: str, modules: Mapping[str, str]) -> str:
    parts = key.split(".")
    for length in (1, 2):
        module = ".".join(parts[:length])
        if module in modules and len(parts) > length:
            return ".".join([modules[module], *parts[length:]])
    return key


def with_current_names(state: Mapping[str, Tensor]) -> Named:
    """Tensors of an export of any age under the current names.

    Raises:
        ValueError: where two names of one tensor hold different values.
    """
    named, origin, duplicates, conflicts = {}, {}, [], []
    # Numbered names come last, so that they are the duplicates where both are there.
    for key in sorted(state, key=lambda k: any(f".{number}" in f".{k}" for number in NUMBERED)):
        name = current_name(key)
        if name not in named:
            named[name], origin[name] = state[key], key
        elif same_bits(named[name], state[key]):
            duplicates.append(key)
        else:
            conflicts.append(f"'{origin[name]}' and '{key}'")
    if conflicts:
        raise ValueError(
            f"{len(conflicts)} tensor(s) of the checkpoint stand there under two names with "
            f"different values, so either may be the right one: {'; '.join(conflicts[:5])}"
            f"{'; ...' if len(conflicts) > 5 else ''}. Remove the wrong ones from the file"
        )
    return Named(named, origin, tuple(duplicates))


def same_bits(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors agree in type, shape and every bit, NaN included."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if (one.data_ptr(), one.stride()) == (other.data_ptr(), other.stride()):
        return True  # one memory under two names, as exports of a running model have it
    raw = (t.detach().reshape(-1).contiguous().view(torch.uint8) for t in (one, other))
    return torch.equal(*raw)
