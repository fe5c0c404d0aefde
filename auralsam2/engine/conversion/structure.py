"""Tell from names and shapes alone what a checkpoint is: whose, which variant, how deep."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from auralsam2.engine.conversion.names import (
    CARRIED,
    RELEASED_WIDTHS,
    VARIANTS,
    Entry,
    Structure,
)
from auralsam2.messages import unknown_values


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
    """The structure of a fuser by its names without prefix.

    Where the user does not say the variant, the projection heads and the text do.

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
