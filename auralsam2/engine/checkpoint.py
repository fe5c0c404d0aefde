"""Weights of a model: files that are written whole or not at all, and what they must hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from auralsam2.engine.hooks.checkpoint_hooks import trainable_state
from auralsam2.engine.run_record import WEIGHTS
from auralsam2.models.weights import read_state
from auralsam2.models.weights.loading import compare, fitted, foreign_prefix, misfit
from auralsam2.text_files import replacing

SAFETENSORS, PICKLED = ".safetensors", (".pth", ".pt")


def save_state(state: Mapping[str, Tensor], path: Path, dtype: torch.dtype | None = None) -> None:
    """Write tensors: safetensors to share, a pickled state dict for the authors' code.

    The suffix says which; floating ones are brought to a ``dtype`` where one is given.

    Raises:
        ValueError: on another suffix than ``.safetensors``, ``.pth`` and ``.pt``.
    """
    check_suffix(path)
    tensors = {}
    for key, value in state.items():
        cast = value.to(dtype) if dtype and value.is_floating_point() else value
        # With memory of its own: a file would hold all of what a view looks into.
        tensors[key] = cast.detach().cpu().contiguous().clone()
    with replacing(path) as unfinished:
        if path.suffix == SAFETENSORS:
            save_file(tensors, unfinished)
        else:
            torch.save(tensors, unfinished)
        unfinished.chmod(0o644)  # safetensors' files are private


def check_suffix(path: Path) -> None:
    """Tell whether :func:`save_state` knows what to write.

    Raises:
        ValueError: where it does not.
    """
    if path.suffix not in (SAFETENSORS, *PICKLED):
        known = ", ".join((SAFETENSORS, *PICKLED))
        raise ValueError(f"cannot tell what to write to '{path}' from its suffix; known: {known}")


def load_trained(model: nn.Module, path: Path) -> None:
    """Load trained weights over a model whose frozen parts have theirs already.

    Weights of frozen parts may be in the file, as in a converted checkpoint: they are loaded too.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where keys or shapes differ from what this model trains, or a frozen part is
            there in part.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint at '{path}'; a finished run has {WEIGHTS}")
    load_trained_state(model, read_state(path), path)


def load_trained_state(model: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Like :func:`load_trained`, for the tensors of a file."""
    own = model.state_dict()
    state = fitted(state, own, path)
    coverage = compare(state, own)
    coverage = coverage._replace(missing=_lacking(model, state))
    if not coverage.matched or not coverage.complete:
        hint = "Evaluate it with the config.py of its own run folder"
        prefix = foreign_prefix(state, own)
        raise ValueError(misfit(path, "the config's model", coverage, prefix, hint))
    if any(
        k.startswith("backbone.") and not torch.equal(own[k], state[k].to(own[k])) for k in state
    ):
        model.feature_cache = None  # type: ignore[assignment]  # of the weights it was built with
    model.load_state_dict(state, strict=False)


def _lacking(model: nn.Module, state: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Names that a file of trained weights should have, and those of frozen parts that it begins.

    Buffers of frozen parts are in files that have none of their parameters.
    """
    frozen = frozen_parts(model)
    needed = [key for key in trainable_state(model) if not key.startswith(frozen)]
    parameters = [name for name, _ in model.named_parameters()]
    for part in frozen:
        whole = [name for name in parameters if name.startswith(part)]
        needed += whole if any(name in state for name in whole) else []
    return tuple(key for key in needed if key not in state)


def frozen_parts(model: nn.Module) -> tuple[str, ...]:
    """Prefixes of the children that train nothing: a checkpoint of trained weights lacks them."""
    return tuple(
        f"{name}."
        for name, child in model.named_children()
        if (parameters := list(child.parameters())) and not any(p.requires_grad for p in parameters)
    )
