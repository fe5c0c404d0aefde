"""Comparing our numbers with expected ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

OUTPUT = 1e-4
"""Absolute tolerance of float32 outputs."""

GRADIENT = (1e-4, 1e-3)
"""Gradients may differ by this much absolutely, or relatively to the largest expected entry."""


class Row(NamedTuple):
    """One compared tensor."""

    fixture: str  # name of the group, entered once it is checked
    tensor: str  # key in its file
    absolute: float  # largest absolute difference; not-a-number where shapes differ
    relative: float  # ``absolute`` over the largest expected magnitude
    tolerance: str  # what was allowed, in words
    passed: bool  # whether it is within
    note: str = ""  # why not, where numbers do not tell


NOT_GIVEN = Row("", "", 0.0, 0.0, "", True, "not in the fixture")
"""Stands for a comparison with a number that the fixture does not hold; it is left out."""


def compare(
    tensor: str,
    got: Tensor | float,
    expected: Tensor | float,
    absolute: float = OUTPUT,
    relative: float = 0.0,
) -> Row:
    """Difference of two tensors; within ``absolute`` or within ``relative``."""
    ours = torch.as_tensor(got).detach().double()
    theirs = torch.as_tensor(expected).detach().double()
    allowed = f"{absolute:g}" + (f" or {relative:g} relative" if relative else "")
    if ours.dim() == 0 and theirs.numel() == 1:
        ours = ours.reshape(theirs.shape)  # some fixtures keep a scalar as a row of one
    if ours.shape != theirs.shape:
        note = f"got shape {tuple(ours.shape)}, expected {tuple(theirs.shape)}"
        return Row("", tensor, float("nan"), float("nan"), allowed, False, note)
    if not theirs.numel():
        return Row("", tensor, 0.0, 0.0, allowed, True, "empty")
    difference = float((ours - theirs).abs().max())
    scale = float(theirs.abs().max())
    share = difference / scale if scale else (0.0 if not difference else float("inf"))
    # Not-a-number compares false and so fails, as it should.
    passed = difference <= absolute or (relative > 0 and share <= relative)
    return Row("", tensor, difference, share, allowed, passed)


def equal(tensor: str, got: object, expected: object) -> Row:
    """Exact agreement of things that are no floating numbers, an order or a list of indices."""
    same = got == expected
    note = "" if same else f"got {got}, expected {expected}"
    return Row("", tensor, float(not same), float(not same), "exact", same, note)


def failure(tensor: str, note: str) -> Row:
    """A comparison that could not be made."""
    return Row("", tensor, float("nan"), float("nan"), "", False, note)


def probe_loss(outputs: Iterable[Tensor]) -> Tensor:
    """The scalar whose gradients the fixtures hold.

    For every output of n elements, flattened row-major, ``sum_k o[k] cos(0.37 k) / sqrt(n)``; the
    cosines are computed in float64.
    """
    terms = []
    for output in outputs:
        flat = output.flatten()
        index = torch.arange(flat.numel(), dtype=torch.float64)
        weight = (0.37 * index).cos().to(flat.dtype)
        terms.append((flat * weight).sum() / flat.numel() ** 0.5)
    return sum(terms, torch.zeros(()))


def leaves(numbers: Mapping[str, Tensor], keys: Iterable[str]) -> dict[str, Tensor]:
    """Copies of some tensors that ask for gradients."""
    return {key: numbers[key].clone().requires_grad_() for key in keys}


def watched(modules: Mapping[str, nn.Module]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two dicts that fill as modules run: by name what each is given, a tuple, and what it gives.

    A module that runs several times leaves what it had last.
    """
    given: dict[str, Any] = {}
    made: dict[str, Any] = {}
    for name, module in modules.items():

        def keep(_: nn.Module, inputs: tuple[Any, ...], output: Any, name: str = name) -> None:
            given[name], made[name] = inputs, output

        module.register_forward_hook(keep)
    return given, made
