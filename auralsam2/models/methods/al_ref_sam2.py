"""One box a name and clip, turned into a mask that SAM2's memory carries (AL-Ref-SAM2).

Axes: B clips, T frames, K classes, D boxes of a frame.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from auralsam2.models.detection.base import Detections
from auralsam2.models.methods.base import ClipBatch, nothing
from auralsam2.models.methods.carrying import carry_masks
from auralsam2.models.methods.prompted import stacked
from auralsam2.models.methods.translated_prompts import TranslatedPromptSAM2
from auralsam2.models.methods.translation import Choice, box_of_clip
from auralsam2.registry import MODELS
from auralsam2.structures import Prediction, VisualPyramid

FORM = '{CLIP: {NAME: {"frame": 3, "box": 1}}}, both counted from 1'
Choices = dict[str, dict[str, Choice]]


@MODELS.register_module()
class ALRefSAM2(TranslatedPromptSAM2):
    """AL-Ref-SAM2 (Huang et al., AAAI 2025) behind its choice of names, frames and boxes.

    Every name that is heard anywhere in a clip gets one box on one frame. SAM2's single-mask output
    turns it into a mask, the binary mask is given to SAM2's memory on that frame and carried to the
    clip's end and then to its beginning. Only whether a name sounds is told second by second: a
    frame's mask is the union of the masks of those that do, and a name that is alone in its clip
    sounds in all frames.

    Args:
        choices: a JSON file with a frame, and a box among that frame's best, for every name; what
            it does not name gets the best box of all frames. ``auralsam2 read-answers`` makes one
            of a language model's answers.
        per_second: off, every name of a clip sounds in all frames, as for a single source.
        box_threshold: see :class:`TranslatedPromptSAM2`.
        boxes_per_class: boxes of a name among which ``choices`` choose.
        **shared: see :class:`TranslatedPromptSAM2`.

    Raises:
        FileNotFoundError: where there are no choices at ``choices``.
        ValueError: where they are of another form, or name what no part of the model does.
    """

    def __init__(
        self,
        *args: Any,
        choices: str | os.PathLike[str] | None = None,
        per_second: bool = True,
        box_threshold: float = 0.25,
        boxes_per_class: int | None = 3,
        **shared: Any,
    ) -> None:
        if missing := self.problems(choices):
            raise FileNotFoundError(missing[0])
        shared |= {"box_threshold": box_threshold, "boxes_per_class": boxes_per_class}
        super().__init__(*args, **shared)
        self.per_second = per_second
        self.choices: Choices = (
            {} if choices is None else read_choices(Path(os.path.expanduser(choices)))
        )
        parts = (self.detector, self.sound_classifier)
        self.names: Sequence[str] = next((c for p in parts if (c := getattr(p, "classes", ()))), ())
        if self.choices and not self.names:
            raise ValueError(
                f"{type(self).__name__}: choices name classes, which neither detector nor sound "
                "classifier does; take parts that read files, or leave model.choices out"
            )
        named = {name for names in self.choices.values() for name in names}
        if unknown := sorted(named - set(self.names)):
            raise ValueError(
                f"{type(self).__name__}: '{choices}' names {unknown[:5]}, which are none of the "
                f"{len(self.names)} classes of detector and sound classifier"
            )

    @staticmethod
    def problems(choices: str | os.PathLike[str] | None = None, **_: object) -> list[str]:
        """What stands in the way of building, found without building."""
        if choices is None or Path(os.path.expanduser(choices)).is_file():
            return []
        return [f"no choices at '{choices}'; set `model.choices` to a JSON file {FORM}, or to None"]

    @torch.no_grad()
    def predict_clip(self, batch: ClipBatch) -> Prediction:
        """Masks of every frame, one clip after the other."""
        pyramid = self.encode(batch.frames)
        detections, heard = self.translate(pyramid, batch)
        clips = [
            self._answer_clip(
                VisualPyramid(tuple(level[i] for level in pyramid.levels)),
                Detections(*(x[i] for x in detections)),
                self._sounding(heard[i]),
                self.choices.get(name, {}),
            )
            for i, name in enumerate(batch.clip)
        ]
        return stacked(clips)

    def looked_for(self, heard: Tensor) -> Tensor:
        """In every frame the names of the whole clip."""
        return heard.any(dim=1, keepdim=True).expand_as(heard)

    def _sounding(self, heard: Tensor) -> Tensor:
        """In which frames the names of a clip sound, (T, K) bool from what is heard in them."""
        names = heard.any(dim=0)
        return heard if self.per_second and int(names.sum()) > 1 else names.expand_as(heard)

    def _answer_clip(
        self,
        pyramid: VisualPyramid,
        found: Detections,
        sounding: Tensor,
        choices: dict[str, Choice],
    ) -> Prediction:
        """Of T frames, from maps (T, ...), boxes (T, D) and names (T, K)."""
        maps = self.backbone.network.decoder_features(list(pyramid.levels))
        answer = nothing(maps[0], sounding.shape[:1])
        for label in sounding.any(dim=0).nonzero().flatten().tolist():
            choice = choices.get(self.names[label]) if self.names else None
            prompt = box_of_clip(found, label, self.rule, choice)
            if prompt is not None:
                answer = _joined(answer, self._carry(maps, *prompt), sounding[:, label])
        return answer

    def _carry(self, maps: Sequence[Tensor], frame: int, box: Tensor) -> Prediction:
        """Masks of T frames from one box on one of them."""
        network = self.backbone.network
        fine, middle, coarse = (m[frame : frame + 1] for m in maps)
        image = [fine, middle, coarse + network.no_mem_embed.reshape(1, -1, 1, 1)]
        mask = self.masks_of_boxes(image, box[None]).best[:, None]
        answers = carry_masks(network, maps, frame, network.upsample(mask) > 0)
        masks, ious, score, best, _ = map(torch.cat, zip(*answers, strict=True))
        return Prediction(masks, ious, score, best[:, 0])


def _joined(all_names: Prediction, one: Prediction, sounds: Tensor) -> Prediction:
    """The union with one more name's masks where it ``sounds``, (T,) bool; likewise the rest."""
    index = sounds.nonzero().flatten()
    pairs = zip(all_names.tensors, one.tensors, strict=True)
    return Prediction(*(a.index_copy(0, index, a[index].maximum(b[index])) for a, b in pairs))


def read_choices(path: Path) -> Choices:
    """Read a file of choices.

    Raises:
        ValueError: naming the form that it must have.
    """
    try:
        clips = json.loads(path.read_text(encoding="utf-8"))
        return {
            clip: {
                name: Choice(int(one["frame"]), int(one.get("box", 1)))
                for name, one in names.items()
            }
            for clip, names in clips.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"'{path}' holds no choices {FORM}: {error!r}") from error
