"""The one way of weight files into networks: what matched is counted, and nothing is silent.

Names of tensors are compared without what training programs wrap around a network.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from torch import Tensor, nn

from auralsam2.models.weights.reading import read_state

LEADING = ("module", "model", "state_dict", "_orig_mod")
"""What a wrapper puts before all names: parallel training, Lightning and others, compilation."""
ANYWHERE = ("module", "_orig_mod")
"""Of these, what may be wrapped around a part of a network."""
COUNTER = "num_batches_tracked"
"""Of a batch norm, which files older than it lack, torchvision's first among them; none is read."""
COVERAGE = "weight_coverage"
"""Attribute that a network carries once weights were loaded into it."""
SHOWN = 4


class Coverage(NamedTuple):
    """Which names of a file met which names of a network."""

    matched: tuple[str, ...]  # same name, same shape; as the network calls them
    missing: tuple[str, ...] = ()  # only in the network; these keep what they start with, at random
    unexpected: tuple[str, ...] = ()  # only in the file
    misshapen: tuple[str, ...] = ()  # same name, other shape: ``name: in the file, of the network``

    @property
    def complete(self) -> bool:
        """Whether file and network agree in every name and shape."""
        return not (self.missing or self.unexpected or self.misshapen)

    def __str__(self) -> str:
        return self.told()

    def told(self, **most: int) -> str:
        """Count what matched and what did not, with ``most`` of the latter's names by kind."""
        lines = [f"{len(self.matched)} matched"]
        for name in self._fields[1:]:
            keys = getattr(self, name)
            lines.append(f"{len(keys)} {name}{listed(keys, most.get(name, SHOWN))}")
        return "; ".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Counts, and the first few names of what did not match."""
        counts: dict[str, Any] = {name: len(getattr(self, name)) for name in self._fields}
        unmatched = {name: list(getattr(self, name)[:SHOWN]) for name in self._fields[1:]}
        return {**counts, "examples": {name: keys for name, keys in unmatched.items() if keys}}


def listed(keys: Sequence[str], most: int) -> str:
    """The first few of some names, in brackets behind their count; nothing of none."""
    return f" ({' | '.join(keys[:most])}{' | ...' if len(keys) > most else ''})" if keys else ""


class Tolerance(NamedTuple):
    """What a file may have or lack without a word; all but ``wrappers`` are prefixes of names."""

    unused: tuple[str, ...] = ()  # of the file, for which the network has no use
    optional: tuple[str, ...] = ()  # of the network, which the file may lack
    # What may stand before all names of the file, besides the known wrappers.
    wrappers: tuple[str, ...] = ()


NONE = Tolerance()


def load_weights(
    network: nn.Module,
    path: str | os.PathLike[str],
    *,
    what: str = "the network",
    hint: str = "",
    partial_hint: str = "",
    tolerance: Tolerance = NONE,
    allow_partial: bool = False,
    assign: bool = False,
    rename: Callable[[Mapping[str, Tensor]], dict[str, Tensor]] = dict,
    recognise: Callable[[Mapping[str, Tensor]], str] = lambda _: "",
) -> Coverage:
    """Load a file into a network, and note on the network what matched.

    Args:
        network: takes every matching tensor.
        path: of the file, see :func:`read_state`.
        what: names the network in errors.
        hint: what to do, for every error.
        partial_hint: what else to do where some names match.
        tolerance: names that do not count.
        allow_partial: accept a file that covers the network in part, as long as any name matches.
        assign: take the file's tensors, not copies, for a network on the meta device.
        rename: the file's tensors to the network's names and forms, wrappers still before them.
        recognise: what a file that does not fit holds, in a sentence, given renamed tensors.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it cannot be read or matches too little; then nothing is loaded.
    """
    state, own = rename(_read(path, hint)), network.state_dict()
    known, coverage = _matched(state, own, path, tolerance)
    if not coverage.matched or not (coverage.complete or allow_partial):
        hints = [recognise(known) or hint, partial_hint if coverage.matched else ""]
        raise ValueError(misfit(path, what, coverage, foreign_prefix(state, own), *hints))
    network.load_state_dict({k: known[k] for k in coverage.matched}, strict=False, assign=assign)
    note_coverage(network, path, coverage)
    _warn_of_gaps(path, what, coverage)
    return coverage


def _warn_of_gaps(path: str | os.PathLike[str], what: str, coverage: Coverage) -> None:
    if not coverage.complete:
        text = "'%s' covers %s only in part: %s; what is missing stays random"
        logging.getLogger(__name__).warning(text, path, what, coverage)


def _read(path: str | os.PathLike[str], hint: str) -> dict[str, Tensor]:
    try:
        return read_state(path)
    except ValueError as error:
        raise ValueError(_sentences(str(error), hint)) from error


def _matched(
    state: Mapping[str, Tensor],
    own: Mapping[str, Tensor],
    path: str | os.PathLike[str],
    tolerance: Tolerance,
) -> tuple[dict[str, Tensor], Coverage]:
    """Tensors of a file under a network's names, and what of both met."""
    known = fitted(state, own, path, tolerance.wrappers)
    known = {key: value for key, value in known.items() if not key.startswith(tolerance.unused)}
    coverage = compare(known, own)
    needed = [key for key in coverage.missing if not key.startswith(tolerance.optional)]
    needed = [key for key in needed if key.split(".")[-1] != COUNTER]
    return known, coverage._replace(missing=tuple(needed))


def compare(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> Coverage:
    """Coverage of a network's state by another of the same names."""
    shared = [key for key in own if key in state]
    misshapen = {key for key in shared if own[key].shape != state[key].shape}
    return Coverage(
        matched=tuple(key for key in shared if key not in misshapen),
        missing=tuple(key for key in own if key not in state),
        unexpected=tuple(key for key in state if key not in own),
        misshapen=tuple(
            f"{key}: {tuple(state[key].shape)}, {tuple(own[key].shape)}"
            for key in shared
            if key in misshapen
        ),
    )


def without_wrappers(key: str, also: Collection[str] = ()) -> str:
    """A name without the wrappers before it and within, and those in ``also`` before it."""
    parts = without_leading(key, also).split(".")
    return ".".join([*(p for p in parts[:-1] if p not in ANYWHERE), parts[-1]])


def without_leading(key: str, also: Collection[str] = ()) -> str:
    """A name without the wrappers before it, and those in ``also``."""
    parts = key.split(".")
    while len(parts) > 1 and (parts[0] in LEADING or parts[0] in also):
        parts = parts[1:]
    return ".".join(parts)


def fitted(
    state: Mapping[str, Tensor],
    own: Mapping[str, Tensor],
    path: str | os.PathLike[str],
    wrappers: Sequence[str] = (),
) -> dict[str, Tensor]:
    """Tensors of a file under a network's names, where wrappers alone make the difference.

    Names are taken as they are unless more of them are known without their wrappers, ``wrappers``
    being further ones that may stand before all names.

    Raises:
        ValueError: where two names become one.
    """
    forms: list[Callable[[str], str]] = [
        str,
        partial(without_leading, also=wrappers),
        partial(without_wrappers, also=wrappers),
    ]
    # max takes the first of equals: names that need nothing taken off are left alone.
    form = max(forms, key=lambda form: sum(form(key) in own for key in state))
    origin: dict[str, str] = {}
    for key in state:
        name = form(key)
        if name in origin:
            raise ValueError(
                f"'{os.fspath(path)}': '{origin[name]}' and '{key}' are the same name under "
                "wrappers; save one of them alone"
            )
        origin[name] = key
    return {name: state[key] for name, key in origin.items()}


def foreign_prefix(keys: Collection[str], own: Collection[str]) -> str:
    """What stands before most keys of a file that a network would know without; "" if nothing."""
    found: Counter[str] = Counter()
    for key in keys:
        parts = key.split(".")
        for start in range(1, len(parts)):
            if ".".join(parts[start:]) in own:
                found[".".join(parts[:start]) + "."] += 1
                break
    (prefix, count), *_ = found.most_common(1) or [("", 0)]
    return prefix if 2 * count >= len(own) else ""


def note_coverage(network: nn.Module, path: str | os.PathLike[str], coverage: Coverage) -> None:
    """Leave on a network what was loaded into it, for :func:`loaded_weights`."""
    setattr(network, COVERAGE, {"file": os.path.basename(os.fspath(path)), **coverage.to_json()})


def carry_coverage(network: nn.Module, part: nn.Module) -> None:
    """Note on a part of a network that is used alone what was loaded into the whole."""
    if (noted := getattr(network, COVERAGE, None)) is not None:
        setattr(part, COVERAGE, noted)


def loaded_weights(model: nn.Module) -> list[dict[str, Any]]:
    """What was loaded into the parts of a model, for records.

    Returns:
        For every part with weights from a file: ``part``, ``file``, and :meth:`Coverage.to_json`.
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
