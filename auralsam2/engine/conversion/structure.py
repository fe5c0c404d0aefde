"""Tell from names and shapes what a checkpoint is, whose and how deep, and say it in words."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from auralsam2.engine.conversion.names import (
    CARRIED,
    RELEASED_AUDIO_DEPTHS,
    RELEASED_VISUAL_DEPTHS,
    RELEASED_WIDTHS,
    VARIANTS,
    Entry,
    Structure,
)
from auralsam2.messages import nearest, unknown_values
from auralsam2.models.weights.loading import Coverage, listed

VARIANT_NAMES = {"avs": "AVS (AVSBench)", "ref": "Ref (Ref-AVS)"}
SHOWN = {"missing": 6, "unexpected": 20, "misshapen": 20}
# A guess costs milliseconds, a file of another model has hundreds of unknown names.
NUM_GUESSES = 8


class Side(NamedTuple):
    """Patterns of the names on one side."""

    own: str  # begins every name on this side and none on the other
    level: str  # a module that every level has, with the level
    visual_block: str  # level and block of the visual stream
    audio_block: str  # of the audio stream
    vggish: str  # begins the audio network's names
    marks: Mapping[str, str]  # variant -> names that only this variant has


SIDES = {
    "authors": Side(
        own=r"(vgg|patch_embeds|f_blocks|a_blocks|fusion_modules|smooth_convs|train_proj_[va]1"
        r"|text_proj|v_model|t_model)\.",
        level=r"(?:patch_embeds|f_blocks|a_blocks|fusion_modules)\.(\d+)\.",
        visual_block=r"f_blocks\.(\d+)\.(\d+)\.",
        audio_block=r"a_blocks\.(\d+)\.(\d+)\.",
        vggish="vgg.",
        marks={
            "avs": r"train_proj_[va]1\.proj\.1\.",
            "ref": r"train_proj_[va]1\.proj\.3\.|text_proj\.",
        },
    ),
    "ours": Side(
        own=r"(audio_encoder|fuser|projector|text_adapter|backbone|text_encoder)\.",
        level=r"fuser\.(?:pyramid\.patch_embeds|visual_attentions|audio_attentions|fusions)"
        r"\.(\d+)\.",
        visual_block=r"fuser\.visual_attentions\.(\d+)\.blocks\.(\d+)\.",
        audio_block=r"fuser\.audio_attentions\.(\d+)\.blocks\.(\d+)\.",
        vggish="audio_encoder.network.",
        marks={
            "avs": r"projector\.(?:visual|audio)_head\.1\.",
            "ref": r"projector\.(?:visual|audio)_head\.3\.|text_adapter\.",
        },
    ),
}


def side_of(keys: Collection[str]) -> str:
    """Whose names these are, ``authors`` or ``ours``; older names must be current ones by now.

    Raises:
        ValueError: where no name is known, or names of both sides are mixed.
    """
    found = {name: [k for k in keys if re.match(side.own, k)] for name, side in SIDES.items()}
    if all(found.values()):
        raise ValueError(
            f"the checkpoint mixes names of the authors ({found['authors'][0]}, ...) and ours "
            f"({found['ours'][0]}, ...); convert one model at a time"
        )
    if not any(found.values()):
        shown = ", ".join(sorted(keys)[:4]) or "no tensor at all"
        raise ValueError(
            f"no AuralSAM2 checkpoint: none of its {len(keys)} names begins like the authors' "
            f"(f_blocks., fusion_modules., aural_fuser., ...) or ours (fuser., ...); got {shown}"
        )
    return "authors" if found["authors"] else "ours"


def recognise(keys: Collection[str], side: str, variant: str | None = None) -> Structure:
    """The structure of a fuser by its names.

    Args:
        keys: names without the fuser's prefix.
        side: ``authors`` or ``ours``.
        variant: as the user says; ``None`` takes it from the projection heads and the text.

    Raises:
        ValueError: where the variant is unknown, cannot be told, or is contradicted by names.
    """
    patterns = SIDES[side]
    levels = 1 + max(_indices(patterns.level, keys, 0), default=-1)
    visual, audio = (
        tuple(_depth(pattern, keys, level) for level in range(levels))
        for pattern in (patterns.visual_block, patterns.audio_block)
    )
    vggish = any(key.startswith(patterns.vggish) for key in keys)
    return Structure(_variant(patterns, keys, variant), visual, audio, vggish)


def _indices(pattern: str, keys: Collection[str], group: int) -> list[int]:
    found = [match.groups() for key in keys if (match := re.match(pattern, key))]
    # A damaged name may hold any number; no list of modules is longer than the list of names.
    return [int(groups[group]) for groups in found if _plausible(groups, len(keys))]


def _plausible(groups: Iterable[str], limit: int) -> bool:
    return all(len(number) < 6 and int(number) < limit for number in groups)


def _depth(pattern: str, keys: Collection[str], level: int) -> int:
    of_level = [k for k in keys if (m := re.match(pattern, k)) and m.group(1) == str(level)]
    indices = [int(m.group(2)) for k in of_level if (m := re.match(pattern, k))]
    return 1 + max((i for i in indices if i < len(keys)), default=-1)


def _variant(patterns: Side, keys: Collection[str], variant: str | None) -> str:
    if variant is not None and (problems := unknown_values(variant=(variant, VARIANTS))):
        raise ValueError(problems[0])
    seen = {
        name: marks
        for name, pattern in patterns.marks.items()
        if (marks := [key for key in keys if re.match(pattern, key)])
    }
    if len(seen) > 1:
        shown = " and ".join(f"'{marks[0]}' ({name})" for name, marks in seen.items())
        raise ValueError(f"the checkpoint has layers of both variants: {shown}")
    if not seen and variant is None:
        raise ValueError(
            "the checkpoint has no projection heads, so its variant cannot be told: say "
            "--variant avs (AVSBench) or --variant ref (Ref-AVS)"
        )
    if seen and variant not in (None, *seen):
        ((name, marks),) = seen.items()
        raise ValueError(f"{variant=}, but '{marks[0]}' exists in variant '{name}' only")
    return variant or next(iter(seen))


def find_widths(
    table: Iterable[Entry], side: str, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, int]:
    """The size of every letter of the table: what most tensors say, else the release's."""
    votes: dict[str, Counter[int]] = defaultdict(Counter)
    for entry in table:
        letters, shape = entry.shape_on(side), shapes.get(entry.key(side), ())
        if len(letters) == len(shape):
            for letter, size in zip(letters, shape, strict=True):
                if isinstance(letter, str) and len(letter) == 1:
                    votes[letter][size] += 1
    found = {letter: counter.most_common(1)[0][0] for letter, counter in votes.items()}
    return RELEASED_WIDTHS | found


def split_carried(keys: Iterable[str], side: str) -> tuple[list[str], list[str]]:
    """Names of the fuser and of the frozen networks of a full model."""
    prefixes = tuple(CARRIED if side == "authors" else CARRIED.values())
    fuser: list[str] = []
    carried: list[str] = []
    for key in keys:
        (carried if key.startswith(prefixes) else fuser).append(key)
    return fuser, carried


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
