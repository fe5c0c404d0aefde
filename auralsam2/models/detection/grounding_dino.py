"""Grounding DINO of transformers, asked for one class after the other.

Axes: B clips, T frames, K classes, Q queries of the detector.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

import torch
from torch import Tensor

from auralsam2.models.detection.base import Detections, Detector, padded
from auralsam2.models.pretrained_part import PretrainedPart
from auralsam2.registry import DETECTORS
from auralsam2.shapes import check_shape
from auralsam2.structures import VisualPyramid
from auralsam2.weight_files import GROUNDING_DINO

Found = tuple[Tensor, Tensor]


@DETECTORS.register_module()
class GroundingDINODetector(PretrainedPart, Detector):
    """Grounding DINO (Liu et al., ECCV 2024), frozen, with a class's name as the whole caption.

    It sees frames as the data set gives them, squares of S pixels; AL-Ref-SAM2 and SAM4AVS show
    it pictures of their own shape. Answers are remembered by frame and class.

    Args:
        num_classes: K.
        weights: folder of the model, see :class:`PretrainedPart`.
        classes: names or a file of them, see :class:`PretrainedPart`.
        box_threshold: boxes below are not given out; 0.25 in AL-Ref-SAM2, 0.3 in SAM4AVS.

    Raises:
        ValueError: as :class:`PretrainedPart`, and on a threshold outside 0 to 1.
    """

    config_key = "model.detector"
    published = GROUNDING_DINO
    model_class, processor_class = "GroundingDinoForObjectDetection", "GroundingDinoProcessor"

    def __init__(
        self,
        num_classes: int,
        weights: str | os.PathLike[str] | None = None,
        classes: Sequence[str] | str | os.PathLike[str] | None = None,
        box_threshold: float = 0.25,
    ) -> None:
        if not 0 <= box_threshold <= 1:
            raise ValueError(
                f"GroundingDINODetector: box_threshold must be from 0 to 1, got {box_threshold=}"
            )
        super().__init__(weights, classes, num_classes)
        self.box_threshold = box_threshold
        self._found: dict[tuple[bytes, int], Found] = {}

    @torch.no_grad()
    def forward(
        self,
        pyramid: VisualPyramid,
        clip: Sequence[str],
        frames: Tensor | None = None,
        heard: Tensor | None = None,
    ) -> Detections:
        """Boxes of the classes that are ``heard`` in each frame, best first."""
        check_shape(frames, "B T 3 S S", "frames")
        assert frames is not None
        shape = (frames.shape[0], frames.shape[1])
        wanted = torch.ones(*shape, len(self.classes)) if heard is None else heard
        boxes, scores, labels, frame = [], [], [], []
        for index, (picture, names) in enumerate(
            zip(frames.flatten(0, 1), wanted.flatten(0, 1), strict=True)
        ):
            for label in names.nonzero().flatten().tolist():
                corners, score = self._look(picture, label)
                boxes.append(corners)
                scores.append(score)
                labels += [label] * len(score)
                frame += [index] * len(score)
        device = frames.device
        corners = torch.cat([torch.zeros(0, 4), *boxes]).to(device)
        score = torch.cat([torch.zeros(0), *scores]).to(device)
        order = score.argsort(descending=True, stable=True)
        numbers = (torch.tensor(x, dtype=torch.long, device=device) for x in (labels, frame))
        label, place = (x[order] for x in numbers)
        return padded(corners[order], label, score[order], place, shape, most=len(score))

    def _look(self, picture: Tensor, label: int) -> Found:
        """Boxes (R, 4) of one class in one frame (3, S, S), and their scores (R,)."""
        key = hashlib.blake2b(picture.cpu().numpy().tobytes()).digest(), label
        if key not in self._found:
            caption = f"{self.classes[label].lower()}."
            batch = self.processor(images=picture.cpu(), text=caption, return_tensors="pt")
            out = self.network(**batch.to(picture.device))
            scores = out.logits[0].sigmoid().amax(-1)  # over the caption's tokens
            kept = scores >= self.box_threshold
            middle, size = out.pred_boxes[0, kept].split(2, dim=-1)
            corners = torch.cat([middle - size / 2, middle + size / 2], dim=-1).clamp(0, 1)
            self._found[key] = corners.float().cpu(), scores[kept].float().cpu()
        return self._found[key]
