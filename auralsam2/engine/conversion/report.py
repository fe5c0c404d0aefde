"""What a conversion met, in words: coverage of the expected tensors and what was set aside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from auralsam2.engine.conversion.names import (
    RELEASED_AUDIO_DEPTHS,
    RELEASED_VISUAL_DEPTHS,
    Structure,
)
from auralsam2.messages import nearest

VARIANT_NAMES = {"avs": "AVS (AVSBench)", "ref": "Ref (Ref-AVS)"}
SHOWN = {"missing": 6, "unexpected": 20, "misshapen": 20, "filled": 4}
# A guess costs milliseconds, a file of another model has hundreds of unknown names.
NUM_GUESSES = 8


class Coverage(NamedTuple):
    """Expected and found tensors, by the names in the file where they are in it."""

    matched: tuple[str, ...]  # expected name, expected shape
    missing: tuple[str, ...]  # expected names that the file lacks
    unexpected: tuple[str, ...]  # names that no released fuser has, with the nearest missing one
    misshapen: tuple[str, ...]  # ``name: shape, expected shape``
    filled: tuple[str, ...] = ()  # never used tensors that were missing and made of zeros

    @property
    def complete(self) -> bool:
        """Whether all expected tensors are there and no others."""
        return not (self.missing or self.unexpected or self.misshapen)

    def __str__(self) -> str:
        lines = [f"{len(self.matched)} matched"]
        for name, limit in SHOWN.items():
            keys = getattr(self, name)
            if keys or name != "filled":
                lines.append(f"{len(keys)} {name}{_listed(keys, limit)}")
        return "; ".join(lines)


class Report(NamedTuple):
    """How a checkpoint was read and converted."""

    side: str  # whose names it had, ``authors`` or ``ours``
    structure: Structure  # what its fuser consists of
    coverage: Coverage  # expected and found tensors
    # Names dropped because the file holds the same tensor under another.
    duplicates: tuple[str, ...]
    carried: int  # number of tensors of the frozen networks that were renamed alone
    left_out: tuple[str, ...]  # their names, where the layout asks for the fuser alone

    def __str__(self) -> str:
        whose = "the authors' names" if self.side == "authors" else "our names"
        lines = [f"{describe(self.structure)}, {whose}", str(self.coverage)]
        if self.duplicates:
            lines.append(f"duplicates dropped: {len(self.duplicates)}{_listed(self.duplicates, 2)}")
        if self.carried:
            lines.append(f"tensors of SAM2 and the text encoder taken as they are: {self.carried}")
        if self.left_out:
            lines.append(
                "tensors of SAM2 and the text encoder left out, as the layout is the fuser alone: "
                f"{len(self.left_out)}{_listed(self.left_out, 2)}"
            )
        if not self.structure.vggish:
            lines.append("no VGGish in it: its published weights are to be added")
        return "\n".join(lines)


def describe(structure: Structure) -> str:
    """Variant and depths, and the release's depths where they differ."""
    visual, audio = structure.visual_depths, structure.audio_depths
    text = f"{VARIANT_NAMES[structure.variant]} fuser, blocks a level {visual}, audio {audio}"
    if (visual, audio) != (RELEASED_VISUAL_DEPTHS, RELEASED_AUDIO_DEPTHS):
        text += f" (released: {RELEASED_VISUAL_DEPTHS}, {RELEASED_AUDIO_DEPTHS})"
    return text


def with_guesses(unknown: Mapping[str, str], missing: Sequence[str]) -> tuple[str, ...]:
    """Unknown names in the file, the first few with the name that was probably meant.

    Args:
        unknown: current form of the name -> name in the file.
        missing: names that are expected and not there.
    """
    texts = []
    for index, (key, origin) in enumerate(unknown.items()):
        guess = nearest(key, missing) if index < NUM_GUESSES else None
        texts.append(f"{origin}, did you mean {guess}?" if guess else origin)
    return tuple(texts)


def _listed(keys: Iterable[str], limit: int) -> str:
    keys = list(keys)
    if not keys:
        return ""
    return f" ({' | '.join(keys[:limit])}{' | ...' if len(keys) > limit else ''})"
