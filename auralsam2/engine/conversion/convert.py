"""Convert checkpoints of the released AuralSAM2 to our state dicts and back, bit for bit.

Tensors are renamed, and those that are 1x1 convolutions on one side and linear layers on the
other are reshaped; no value and no type changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from auralsam2.engine.checkpoint import check_suffix, save_state
from auralsam2.engine.conversion.legacy import (
    NAMINGS,
    NUM_LEVELS,
    OLDER_PREFIX,
    Named,
    older_name,
    with_current_names,
)
from auralsam2.engine.conversion.names import (
    CARRIED,
    FUSER_PREFIX,
    RELEASED_AUDIO_DEPTHS,
    RELEASED_VISUAL_DEPTHS,
    Entry,
    Structure,
    entries,
    resolve,
)
from auralsam2.engine.conversion.structure import find_widths, recognise, side_of, split_carried
from auralsam2.messages import nearest, unknown_values
from auralsam2.models.weights import read_state
from auralsam2.models.weights.loading import Coverage, listed

VARIANT_NAMES = {"avs": "AVS (AVSBench)", "ref": "Ref (Ref-AVS)"}
SHOWN = {"missing": 6, "unexpected": 20, "misshapen": 20}
# A guess costs milliseconds, a file of another model has hundreds of unknown names.
NUM_GUESSES = 8
LAYOUTS = ("fuser", "full")
OTHER = {"authors": "ours", "ours": "authors"}
# The only tensors of frozen networks in files of trained weights: training state leaves out
# parameters without gradient, not buffers.
FROZEN_BUFFERS = ("positional_encoding_gaussian_matrix", "position_ids", "token_type_ids")


class Options(NamedTuple):
    """How to convert."""

    to: str | None = None  # ``ours`` or ``authors``; None is the side that the checkpoint is not on
    # ``fuser`` leaves SAM2 and the text encoder out, ``full`` keeps them and, among the authors'
    # names, prefixes the fuser's; None is full where they are there.
    layout: str | None = None
    variant: str | None = None  # ``avs`` or ``ref``; needed only where no projection head tells it
    # ``zeros`` makes never used parameters that are missing, in models that do not own them; None
    # takes their lack for an error like any other's.
    unused: str | None = None
    naming: str = "current"  # of the authors' side, one of ``NAMINGS``
    allow_partial: bool = False  # convert what matches and set the rest aside


class Report(NamedTuple):
    """How a checkpoint was read and converted."""

    side: str  # whose names it had, ``authors`` or ``ours``
    structure: Structure  # what its fuser consists of
    coverage: Coverage  # expected and found tensors, by the names in the file where they are in it
    filled: tuple[str, ...]  # never used tensors that were missing and made of zeros
    # Names dropped because the file holds the same tensor under another.
    duplicates: tuple[str, ...]
    carried: int  # number of tensors of the frozen networks that were renamed alone
    left_out: tuple[str, ...]  # their names, where the layout asks for the fuser alone

    def __str__(self) -> str:
        whose = "the authors' names" if self.side == "authors" else "our names"
        lines = [f"{describe(self.structure)}, {whose}", told(self.coverage, self.filled)]
        if self.duplicates:
            lines.append(f"duplicates dropped: {len(self.duplicates)}{listed(self.duplicates, 2)}")
        if self.carried:
            lines.append(f"tensors of SAM2 and the text encoder taken as they are: {self.carried}")
        if self.left_out:
            lines.append(
                "tensors of SAM2 and the text encoder left out, as the layout is the fuser alone: "
                f"{len(self.left_out)}{listed(self.left_out, 2)}"
            )
        if not self.structure.vggish:
            lines.append("no VGGish in it: its published weights are to be added")
        return "\n".join(lines)


class Conversion(NamedTuple):
    """A converted checkpoint."""

    state: dict[str, Tensor]  # the tensors under their new names
    # Unexpected and misshapen tensors under the names they came with; empty unless
    # ``allow_partial``.
    aside: dict[str, Tensor]
    report: Report  # what was met


def convert_file(source: Path, target: Path, options: Options | None = None) -> Conversion:
    """Read, convert and write a checkpoint; a suffix of ``.safetensors``, ``.pth`` or ``.pt``.

    What is set aside is written beside the target, see :func:`aside_path`. Where anything is
    wrong nothing is written.

    Raises:
        FileNotFoundError: where there is no source.
        ValueError: where it cannot be read or converted as asked, or the paths do not fit.
    """
    if not source.is_file():
        raise FileNotFoundError(f"no checkpoint at '{source}'")
    check_suffix(target)
    if target.exists() and target.samefile(source):
        raise ValueError(f"'{target}' is the checkpoint itself; name another file to write")
    state = read_state(source, keep_dtype=True)
    try:
        conversion = convert(state, options)
    except ValueError as error:
        raise ValueError(f"'{source}': {error}") from error
    save_state(conversion.state, target)
    if conversion.aside:
        save_state(conversion.aside, aside_path(target))
    return conversion


def aside_path(target: Path) -> Path:
    """Where tensors go that have no place in the target."""
    return target.with_name(f"{target.stem}.aside{target.suffix}")


def convert(state: Mapping[str, Tensor], options: Options | None = None) -> Conversion:
    """Convert a state dict of either side to the other, or to another form of its own.

    Raises:
        ValueError: on unknown options, on a state dict that is no AuralSAM2's, and, unless
            ``allow_partial``, on missing, unexpected and misshapen tensors, all at once.
    """
    options = options or Options()
    _check(options)
    named = with_current_names(state)
    side = side_of(named.state)
    fuser, carried = split_carried(named.state, side)
    structure = recognise(fuser, side, options.variant)
    table = list(entries(structure))
    tensors = {key: named.state[key] for key in fuser}
    widths = find_widths(table, side, {key: tuple(t.shape) for key, t in tensors.items()})
    coverage, fitting, filled = _compare(table, side, tensors, widths, named, options.unused)
    if not (coverage.complete or options.allow_partial):
        idle = {entry.key(side) for entry in table if entry.unused}
        raise ValueError(_incomplete(told(coverage, filled), coverage.missing, structure, idle))
    target = options.to or OTHER[side]
    full = options.layout == "full" or (
        options.layout is None and not all(key.endswith(FROZEN_BUFFERS) for key in carried)
    )
    converted = {
        entry.key(target): fitting[entry].reshape(resolve(entry.shape_on(target), widths))
        for entry in table
        if entry in fitting
    }
    if target == "authors":
        converted = _authors_names(converted, structure, options.naming, full)
    kept, left_out = (carried, []) if full else ([], carried)
    converted |= {_carried_name(key, side, target): named.state[key] for key in kept}
    met = {entry.key(side) for entry in fitting}
    aside = {named.origin[key]: tensor for key, tensor in tensors.items() if key not in met}
    report = Report(side, structure, coverage, filled, named.duplicates, len(kept), tuple(left_out))
    return Conversion(converted, aside, report)


def _check(options: Options) -> None:
    known = {"to": OTHER, "layout": LAYOUTS, "unused": ("zeros",), "naming": NAMINGS}
    given = {name: getattr(options, name) for name in known}
    problems = unknown_values(
        **{name: (value, known[name]) for name, value in given.items() if value is not None}
    )
    if problems:
        raise ValueError("; ".join(problems))


def _compare(
    table: list[Entry],
    side: str,
    tensors: Mapping[str, Tensor],
    widths: Mapping[str, int],
    named: Named,
    unused: str | None,
) -> tuple[Coverage, dict[Entry, Tensor], tuple[str, ...]]:
    """Match tensors with the table; also the names of those that were made."""
    fitting, misshapen, missing = {}, [], []
    for entry in table:
        key = entry.key(side)
        expected = resolve(entry.shape_on(side), widths)
        if key not in tensors:
            missing.append(entry)
        elif tuple(tensors[key].shape) == expected:
            fitting[entry] = tensors[key]
        else:
            got = tuple(tensors[key].shape)
            misshapen.append(f"{named.origin[key]}: {got}, expected {expected}")
    matched = tuple(named.origin[entry.key(side)] for entry in fitting)
    filled = [entry for entry in missing if entry.unused and unused == "zeros"]
    dtype = next((t.dtype for t in fitting.values() if t.is_floating_point()), torch.float32)
    for entry in filled:
        fitting[entry] = torch.zeros(resolve(entry.shape_on(side), widths), dtype=dtype)
    lacking = tuple(entry.key(side) for entry in missing if entry not in filled)
    unknown = sorted(tensors.keys() - {entry.key(side) for entry in table})
    unexpected = with_guesses({key: named.origin[key] for key in unknown}, lacking)
    zeros = tuple(entry.key(side) for entry in filled)
    return Coverage(matched, lacking, unexpected, tuple(misshapen)), fitting, zeros


def _incomplete(coverage: str, missing: Sequence[str], structure: Structure, idle: set[str]) -> str:
    hints = ["--allow-partial converts what matches and writes the rest beside it"]
    if idle.intersection(missing):
        which = "the" if idle.issuperset(missing) else "some of the"
        hints.insert(0, f"{which} missing ones are never used: --unused zeros makes them")
    return f"not a whole {describe(structure)}: {coverage}. {'; '.join(hints)}"


def _authors_names(
    state: Mapping[str, Tensor], structure: Structure, naming: str, full: bool
) -> dict[str, Tensor]:
    levels = len(structure.visual_depths)
    if naming == "training_layers" and levels != NUM_LEVELS:
        raise ValueError(
            f"naming 'training_layers' numbers the modules of {NUM_LEVELS} levels, the checkpoint "
            f"has {levels}; take naming 'current' or 'audio_prompter'"
        )
    prefix = FUSER_PREFIX if full else ""
    if naming == "audio_prompter" or (naming == "training_layers" and full):
        prefix = OLDER_PREFIX
    return {prefix + older_name(key, naming): tensor for key, tensor in state.items()}


def _carried_name(key: str, side: str, target: str) -> str:
    for pair in CARRIED.items():
        names = dict(zip(("authors", "ours"), pair, strict=True))
        if key.startswith(names[side]):
            return names[target] + key[len(names[side]) :]
    raise AssertionError(key)


def told(coverage: Coverage, filled: Sequence[str] = ()) -> str:
    """Coverage in words, and what was made of zeros."""
    made = f"; {len(filled)} filled{listed(filled, 4)}" if filled else ""
    return coverage.told(**SHOWN) + made


def describe(structure: Structure) -> str:
    """Variant and depths, and the release's depths where they differ."""
    visual, audio = structure.visual_depths, structure.audio_depths
    text = f"{VARIANT_NAMES[structure.variant]} fuser, blocks a level {visual}, audio {audio}"
    if (visual, audio) != (RELEASED_VISUAL_DEPTHS, RELEASED_AUDIO_DEPTHS):
        text += f" (released: {RELEASED_VISUAL_DEPTHS}, {RELEASED_AUDIO_DEPTHS})"
    return text


def with_guesses(unknown: Mapping[str, str], missing: Sequence[str]) -> tuple[str, ...]:
    """Unknown names in the file, by their current form, the first few with what was meant."""
    texts = []
    for index, (key, origin) in enumerate(unknown.items()):
        guess = nearest(key, missing) if index < NUM_GUESSES else None
        texts.append(f"{origin}, did you mean {guess}?" if guess else origin)
    return tuple(texts)
