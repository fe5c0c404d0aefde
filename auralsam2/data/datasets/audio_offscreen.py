"""A control: what is heard is nowhere in view."""

from __future__ import annotations

from collections.abc import Callable

from auralsam2.data.clip_contents import read_contents
from auralsam2.data.datasets.counterfactual import PartnerAudio
from auralsam2.registry import DATASETS


@DATASETS.register_module()
class AudioOffscreen(PartnerAudio):
    """Clips with a sound whose source is nowhere in view; masks and frames stay.

    The sound is the recording of another clip, all of whose sources are classes that the clip does
    not show. What a clip shows is known from the list of drawn objects where clips are synthetic,
    silent ones included. Elsewhere it is known from the classes of the labels, and these name what
    sounds only: on AVSBench something silent in view may be of the class that is heard, and this
    control asks no more than ``swapped`` does. Data without classes (Ref-AVS, the V1M part of
    AVSBench's object release) cannot tell, and are refused.

    Args:
        dataset: node of the data set to wrap, or the data set itself.
        root: passed on to a node.
        image_size: passed on to a node.
        seed: of the partners.

    Raises:
        ValueError: where the data do not tell what is in view, or some clip has no partner.
    """

    counterfactual = "offscreen"
    empty_truth = True

    def admits(self) -> Callable[[int, int], bool]:
        """No class that is heard is one that is seen."""
        self._contents = read_contents(self.dataset)
        contents = self._contents
        return lambda i, j: bool(contents[j].heard) and not contents[j].heard & contents[i].seen

    def complaint(self, index: int) -> str:
        """No partner."""
        seen = ", ".join(sorted(self._contents[index].seen)) or "nothing"
        return f"(in view: {seen}) has no partner that sounds of classes not in view"
