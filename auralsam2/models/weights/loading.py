"""The one way of weight files into networks: what matched is counted, and nothing is silent."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from auralsam2.models.weights.coverage import Coverage, compare
from auralsam2.models.weights.names import foreign_prefix, unwrapped
from auralsam2.models.weights.reading import read_state

COUNTER = "num_batches_tracked"
"""Of a batch norm, which files older than it lack, torchvision's first among them; none is read."""
COVERAGE = "weight_coverage"
"""Attribute that a network carries once weights were loaded into it."""


def load_weights(
    network: nn.Module,
    path: str | os.PathLike[str],
    *,
    what: str = "the network",
    hint: str = "",
    partial_hint: str = "",
    unused: Sequence[str] = (),
    optional: Sequence[str] = (),
    wrappers: Sequence[str] = (),
    allow_partial: bool = False,
    assign: bool = False,
) -> Coverage:
    """Load a file into a network, and note on the network what matched.

    Args:
        network: takes every matching tensor.
        path: of the file, see :func:`read_state`.
        what: names the network in errors.
        hint: what to do, for every error.
        partial_hint: what else to do where some names match.
        unused: prefixes of names in the file that the network has no use for, told nowhere.
        optional: prefixes of the network's names that the file may lack, told nowhere.
        wrappers: what may stand before all names in the file, besides the known wrappers.
        allow_partial: accept missing, unexpected and misshapen names, as long as any match.
        assign: take the file's tensors themselves, for a network on the meta device.

    Returns:
        What matched.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it cannot be read, nothing in it matches, or it covers the network only
            in part and ``allow_partial`` is off; then nothing is loaded.
    """
    try:
        state = read_state(path)
    except ValueError as error:
        raise ValueError(_sentences(str(error), hint)) from error
    own = network.state_dict()
    known = fitted(state, own, path, wrappers)
    known = {key: value for key, value in known.items() if not key.startswith(tuple(unused))}
    coverage = compare(known, own)
    needed = [key for key in coverage.missing if not key.startswith(tuple(optional))]
    needed = [key for key in needed if key.split(".")[-1] != COUNTER]
    coverage = coverage._replace(missing=tuple(needed))
    if not coverage.matched or not (coverage.complete or allow_partial):
        hints = [foreign_prefix(state, own), hint, partial_hint if coverage.matched else ""]
        raise ValueError(misfit(path, what, coverage, *hints))
    matched = {key: known[key] for key in coverage.matched}
    network.load_state_dict(matched, strict=False, assign=assign)
    note_coverage(network, path, coverage)
    if not coverage.complete:
        text = "'%s' covers %s only in part: %s; what is missing stays random"
        logging.getLogger(__name__).warning(text, path, what, coverage)
    return coverage


def fitted(
    state: Mapping[str, Tensor],
    own: Mapping[str, Tensor],
    path: str | os.PathLike[str],
    wrappers: Sequence[str] = (),
) -> dict[str, Tensor]:
    """Tensors of a file under a network's names, known wrappers taken off.

    Raises:
        ValueError: where two names become one.
    """
    try:
        return unwrapped(state, own, wrappers)
    except ValueError as error:
        raise ValueError(f"'{os.fspath(path)}': {error}; save one of them alone") from error


def note_coverage(network: nn.Module, path: str | os.PathLike[str], coverage: Coverage) -> None:
    """Leave on a network what was loaded into it, for :func:`loaded_weights`."""
    setattr(network, COVERAGE, {"file": os.path.basename(os.fspath(path)), **coverage.to_json()})


def loaded_weights(model: nn.Module) -> list[dict[str, Any]]:
    """What was loaded into the parts of a model, for records.

    Returns:
        For every part with weights from a file: ``part``, ``file``, the numbers of names that are
        ``matched``, ``missing``, ``unexpected`` and ``misshapen``, and ``examples`` of the latter
        three.
    """
    return [
        {"part": name or type(part).__name__, **noted}
        for name, part in model.named_modules()
        if (noted := getattr(part, COVERAGE, None)) is not None
    ]


def misfit(
    path: str | os.PathLike[str], what: str, coverage: Coverage, prefix: str = "", *hints: str
) -> str:
    """Say that a file does not fit a network, and what to do."""
    shown, named = os.fspath(path), f"{what}: {coverage}"
    begin = f"'{shown}' does not fit" if coverage.matched else f"nothing in '{shown}' fits"
    parts = [f"{begin} {named}"]
    if prefix:
        parts.append(f"Most names would fit without '{prefix}' before them: save that part alone")
    return _sentences(*parts, *hints)


def _sentences(*parts: str) -> str:
    """Join sentences; one that asks has its end."""
    return ". ".join(filter(None, parts)).replace("?. ", "? ")
