"""A control: every clip hears the sound of another one."""

from __future__ import annotations

from collections.abc import Callable

from auralsam2.data.datasets.counterfactual import PartnerAudio
from auralsam2.registry import DATASETS


@DATASETS.register_module()
class AudioSwapped(PartnerAudio):
    """Clips with the audio of a clip in which other things sound; masks and frames stay.

    A model that truly listens must lose here; one that guesses salient objects does not. What
    sounds in the partner may be in view, silent in truth: a model that listens segments that.

    Args:
        dataset: node of the data set to wrap, or the data set itself.
        root: passed on to a node.
        image_size: passed on to a node.
        seed: of the partners.

    Raises:
        ValueError: where some clip has no other clip with different sources.
    """

    counterfactual = "swapped"
    empty_truth = False

    def admits(self) -> Callable[[int, int], bool]:
        """Disjoint sources: nothing that the clip's truth shows may be heard."""
        sources = [clip.sources for clip in self.dataset.files]
        return lambda i, j: bool(sources[j]) and not sources[i] & sources[j]

    def complaint(self, index: int) -> str:
        """No partner."""
        own = ", ".join(sorted(self.dataset.files[index].sources)) or "silent"
        return f"({own}) has no partner of its length or longer in which other things sound"
