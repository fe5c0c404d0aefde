"""Sound to the name of a class, the name to a box, the box to SAM2.

Axes: B clips, T frames, D boxes of a frame, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from auralsam2 import registry
from auralsam2.messages import too_small, unnamed
from auralsam2.models.backbones.promptable import Points
from auralsam2.models.decode import EMPTY_LOGIT
from auralsam2.models.detection.base import Detections, Evidence
from auralsam2.models.methods.base import (
    ClipBatch,
    Node,
    SAM2Method,
    is_trained,
    nothing,
)
from auralsam2.models.methods.single_mask import single_mask
from auralsam2.models.methods.translation import (
    Rule,
    heard_classes,
    join_boxes,
    mean_of_boxes,
    sounding_boxes,
)
from auralsam2.models.sound.base import sound_loss
from auralsam2.registry import MODELS
from auralsam2.shapes import check_shape
from auralsam2.structures import Prediction, VisualPyramid


@MODELS.register_module()
class TranslatedPromptSAM2(SAM2Method):
    """Translated prompts, every second as an image (SAM4AVS, BMVC 2023, with box prompts).

    A sound classifier names what each second sounds like, a detector gives boxes with names, and
    the boxes whose name is heard become box prompts of a frozen SAM2, each decoded as an object
    of its own to SAM2's single-mask output. The frame's mask is their union; a second in which no
    class is heard, or none that is heard is detected, has an empty mask. SAM4AVS' own rule is
    ``top_k``: the most probable classes of every second are taken to sound, silence included, and
    all of their boxes are prompts (``boxes_per_class=None``).

    Nothing flows from the masks that SAM2 makes to what is trained: classifier and detector have
    losses of their own, from the masks' boxes and from the clips' ``sources`` (training data must
    be wrapped in ``NamedSources``). Where both read files nothing is trained.

    Args:
        backbone: node of ``BACKBONES``.
        sound_classifier: node of ``SOUND_CLASSIFIERS``.
        detector: node of ``DETECTORS``.
        num_classes: K, of both.
        rule: ``threshold``, ``argmax`` or ``top_k``, see :class:`Rule`.
        sound_threshold: probability from which a class is heard; not read by ``top_k``.
        box_threshold: score from which a box counts.
        boxes_per_class: boxes of a class that is heard; ``None`` takes all.
        top_k: classes that sound in every second under the rule ``top_k``.
        **shared: see :class:`SAM2Method`; what says how masks are learned or carried is refused.

    Raises:
        ValueError: listing every argument that is out of range.
    """

    def __init__(
        self,
        backbone: Node,
        sound_classifier: Node,
        detector: Node,
        num_classes: int,
        rule: str = "threshold",
        sound_threshold: float = 0.5,
        box_threshold: float = 0.1,
        boxes_per_class: int | None = 1,
        top_k: int = 1,
        **shared: Any,
    ) -> None:
        choice = Rule(rule, sound_threshold, box_threshold, boxes_per_class, top_k)
        problems = choice.problems()
        problems += too_small(num_classes=(num_classes, 1))
        problems += unnamed(sound_classifier=sound_classifier, detector=detector)
        for name in ("tracker", "mask_loss", "trained_parts"):
            if shared.get(name):
                problems.append(f"{name} is of no use here, leave it out")
        if problems:
            raise ValueError(f"{type(self).__name__}: " + "; ".join(problems))
        super().__init__(backbone=backbone, **shared)
        self.rule, self.num_classes = choice, num_classes
        self.sound_classifier = registry.SOUND_CLASSIFIERS.build(
            sound_classifier, num_classes=num_classes
        )
        self.detector = registry.DETECTORS.build(
            detector, channels=self.backbone.channels, num_classes=num_classes
        )
        self._check_names()

    def _check_names(self) -> None:
        """Refuse parts that number different classes; a part that learns has no names."""
        ours = getattr(self.sound_classifier, "classes", None)
        theirs = getattr(self.detector, "classes", None)
        if ours and theirs and ours != theirs:
            pairs = enumerate(zip(ours, theirs, strict=True))
            number = next(i for i, (one, other) in pairs if one != other)
            raise ValueError(
                f"sound classifier and detector number different classes: class {number} is "
                f"{ours[number]!r} for the one and {theirs[number]!r} for the other; give both "
                "files the same list under 'classes'"
            )

    def forward(
        self, mode: str = "loss", sources: Tensor | None = None, **items: Any
    ) -> dict[str, Tensor] | list[dict[str, Any]] | Prediction:
        """As every method; training also reads ``sources`` (B, K), see ``NamedSources``."""
        if mode == "loss" and sources is not None:
            return self.losses_of(ClipBatch(**items), sources)
        return super().forward(mode=mode, **items)

    def losses(self, batch: ClipBatch) -> dict[str, Tensor]:
        """Refuse: without sources there is nothing to learn names from.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            f"{type(self).__name__} learns names from the sources of the index, which these items "
            "lack; set data.train to dict(type='NamedSources', dataset=dict(...), classes=[...])"
        )

    def losses_of(self, batch: ClipBatch, sources: Tensor) -> dict[str, Tensor]:
        """Losses of classifier and detector, each teaching the other what it is sure of."""
        sizes = check_shape(sources, "B K", "sources", B=len(batch.clip))
        if sizes["K"] != self.num_classes:
            raise ValueError(
                f"model.num_classes is {self.num_classes}, but data.train names {sizes['K']} "
                "classes; give both the same number"
            )
        pyramid = self.encode(batch.frames)
        logits = self.sound_classifier(batch.log_mel, batch.clip, batch.waveform).float()
        evidence = Evidence(
            batch.masks,
            batch.supervised,
            sources.to(logits),
            logits.detach().sigmoid(),
            batch.frames,
        )
        losses, seen = self.detector.losses(pyramid, batch.clip, evidence)
        if is_trained(self.sound_classifier):
            losses = {
                **losses,
                "loss_sound": sound_loss(logits, evidence.sources, seen, batch.supervised),
            }
        return losses

    @torch.no_grad()
    def predict_clip(self, batch: ClipBatch) -> Prediction:
        """Masks of every frame."""
        pyramid = self.encode(batch.frames)
        detections, heard = self.translate(pyramid, batch)
        return self.segment(pyramid, detections, sounding_boxes(detections, heard, self.rule))

    def translate(self, pyramid: VisualPyramid, batch: ClipBatch) -> tuple[Detections, Tensor]:
        """Boxes of all frames, and which classes are heard in each second, (B, T, K) bool."""
        logits = self.sound_classifier(batch.log_mel, batch.clip, batch.waveform)
        heard = heard_classes(logits.float().sigmoid(), self.rule)
        return self.detector(pyramid, batch.clip, batch.frames, self.looked_for(heard)), heard

    def looked_for(self, heard: Tensor) -> Tensor:
        """Classes whose boxes are of use in each frame, (B, T, K) bool from those heard in it."""
        return heard

    def segment(self, pyramid: VisualPyramid, detections: Detections, chosen: Tensor) -> Prediction:
        """Prompt SAM2 with the boxes that are chosen, (B, T, D) bool."""
        shape = chosen.shape[:2]
        num_frames = shape.numel()
        frame, place = chosen.flatten(0, 1).nonzero(as_tuple=True)
        maps = self.backbone.network.image_maps(pyramid)
        if not len(frame):
            return nothing(maps[0], shape)
        boxes = detections.boxes.flatten(0, 1)[frame, place]
        out = self.masks_of_boxes([m[frame] for m in maps], boxes)
        best, score = (
            join_boxes(x, frame, num_frames, empty=EMPTY_LOGIT)
            for x in (out.best, out.object_score_logits)
        )
        ious = mean_of_boxes(out.ious, frame, num_frames)
        masks = best[:, None].expand(-1, 3, -1, -1)
        return Prediction(*(x.unflatten(0, shape) for x in (masks, ious, score, best)))

    def masks_of_boxes(self, maps: Sequence[Tensor], boxes: Tensor) -> Prediction:
        """Single masks of R boxes (R, 4), shares of a frame's sides; maps as of ``image_maps``."""
        corners = (boxes * self.backbone.image_size).view(-1, 2, 2)
        labels = torch.tensor([2, 3], dtype=torch.int32, device=boxes.device)
        points = Points(corners, labels.expand(len(boxes), 2))
        return single_mask(self.backbone.network, maps, points=points)
