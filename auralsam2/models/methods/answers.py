"""What AL-Ref-SAM2 reads out of the answers of a language model (Huang et al. 2025)."""

from __future__ import annotations

import re

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
