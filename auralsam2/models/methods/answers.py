"""What AL-Ref-SAM2 reads out of the answers of a language model (Huang et al. 2025)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

NAMED_FRAME = re.compile(r"""(['"])((?:(?!\1).)+)\1: (\d+)""")
FIRST_BOX = 1


def frames_of_answer(answer: str) -> dict[str, int]:
    """Step 1, names of what sounds and the number of the frame that shows each best, from 1 on.

    A name is quoted text right before a colon, one space and digits; what follows its first comma
    or semicolon is cut. Of a name that stands twice the last number counts.
    """
    found = NAMED_FRAME.findall(answer)
    return {re.split("[,;]", name)[0]: int(number) for _, name, number in found}


def box_of_answer(answer: str) -> int:
    """Step 2, the number of the chosen box: the first digits in the first brackets, else 1."""
    brackets = re.search(r"\[([^\]]*)\]", answer)
    number = re.search(r"\d+", brackets[1]) if brackets else None
    return int(number[0]) if number else FIRST_BOX


class Answered(NamedTuple):
    """What ``LabelFileClassifier`` and ``ALRefSAM2`` read, by clip."""

    sounds: dict[str, list[dict[str, float]]]  # names of every second, probability 1
    choices: dict[str, dict[str, dict[str, int]]]  # name -> frame and box, from 1 on

    @property
    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted({name for named in self.choices.values() for name in named})


def read_answers(
    frames: Mapping[str, str],
    boxes: Mapping[str, Mapping[str, str]],
    seconds: Mapping[str, Sequence[Sequence[str]]],
    num_frames: int,
) -> Answered:
    """Turn the answers of both steps, by clip, to what the model's parts read.

    Args:
        frames: clip -> answer of step 1.
        boxes: clip -> name -> answer of step 2; a name without one gets box 1.
        seconds: clip -> names that sound in each second, where several do; names that step 1 did
            not give are left out, and missing seconds repeat the last one. In a clip without
            seconds all names sound throughout.
        num_frames: of clips without seconds, and to which the others are filled up.
    """
    sounds, choices = {}, {}
    for clip, answer in frames.items():
        named = frames_of_answer(answer)
        chosen = {name: box_of_answer(text) for name, text in boxes.get(clip, {}).items()}
        choices[clip] = {
            name: {"frame": frame, "box": chosen.get(name, FIRST_BOX)}
            for name, frame in named.items()
        }
        told = [[n for n in names if n in named] for names in seconds.get(clip, [])] or [[*named]]
        told += [told[-1]] * (num_frames - len(told))
        sounds[clip] = [dict.fromkeys(names, 1.0) for names in told]
    return Answered(sounds, choices)
