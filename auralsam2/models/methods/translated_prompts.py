"""Sound to the name of a class, the name to a box, the box to SAM2.

Axes: B clips, T frames, D boxes of a frame, K classes, R chosen boxes of all frames together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from auralsam2 import registry
from auralsam2.models.decode import EMPTY_LOGIT
from auralsam2.models.detection.base import NO_BOX, Detections, Evidence
from auralsam2.models.methods.base import (
    ClipBatch,
    Node,
    SAM2Method,
    is_trained,
    nothing,
)
from auralsam2.models.sound.base import sound_loss
from auralsam2.registry import MODELS
from auralsam2.shapes import check_shape
from auralsam2.structures import Prediction, VisualPyramid

if TYPE_CHECKING:
    from auralsam2.models.backbones.sam2.network import PromptableSAM2

RULES = ("threshold", "argmax")


class Rule(NamedTuple):
    """Which boxes sound."""

    # ``threshold``: every class with a probability of ``sound_threshold``, several or none;
    # ``argmax``: the most probable one, where it reaches the threshold.
    rule: str = "threshold"
    sound_threshold: float = 0.5  # probability from which a class is heard
    box_threshold: float = 0.1  # score from which a box counts
    boxes_per_class: int = 1  # of a class that is heard, so many boxes of the highest scores

    def problems(self) -> list[str]:
        """What is wrong with it."""
        found = []
        if self.rule not in RULES:
            found.append(f"rule got {self.rule!r}; known: {', '.join(RULES)}")
        for name in ("sound_threshold", "box_threshold"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                found.append(f"{name} must be from 0 to 1, got {value}")
        if self.boxes_per_class < 1:
            found.append(f"boxes_per_class must be at least 1, got {self.boxes_per_class}")
        return found


def heard_classes(probabilities: Tensor, rule: Rule) -> Tensor:
    """(B, T, K) bool from probabilities of the same shape; nothing where it is silent."""
    heard = probabilities >= rule.sound_threshold
    if rule.rule == "argmax":
        top = probabilities.argmax(dim=-1, keepdim=True)
        heard &= torch.zeros_like(heard).scatter(-1, top, True)
    return heard


def sounding_boxes(detections: Detections, heard: Tensor, rule: Rule) -> Tensor:
    """Choose the boxes whose label is heard, (B, T, D) bool from (B, T, K) bool."""
    labels, scores = detections.labels, detections.scores
    real = labels != NO_BOX
    told = heard.gather(-1, labels.clamp(min=0)) if labels.shape[-1] else real
    candidate = real & told & (scores >= rule.box_threshold)
    # How many candidates of the same class stand before a box: of equal scores the first one.
    earlier = torch.arange(scores.shape[-1], device=scores.device)
    tie = (scores[..., None, :] == scores[..., :, None]) & (earlier[None] < earlier[:, None])
    better = (scores[..., None, :] > scores[..., :, None]) | tie
    rivals = (labels[..., None, :] == labels[..., :, None]) & candidate[..., None, :]
    return candidate & ((better & rivals).sum(-1) < rule.boxes_per_class)


def join_boxes(values: Tensor, frame: Tensor, num_frames: int, empty: float) -> Tensor:
    """The largest of each frame's values: of logits, the union of its boxes' masks.

    (R, ...), one entry a box, become (F, ...) with ``empty`` in frames without a box.
    """
    joined = values.new_full((num_frames, *values.shape[1:]), empty)
    index = frame.view(-1, *[1] * (values.dim() - 1)).expand_as(values)
    return joined.scatter_reduce(0, index, values, "amax")


def mean_of_boxes(values: Tensor, frame: Tensor, num_frames: int) -> Tensor:
    """(R, ...) -> (F, ...): mean of each frame's values, 0 in frames without a box."""
    count = torch.bincount(frame, minlength=num_frames).clamp(min=1)
    total = values.new_zeros(num_frames, *values.shape[1:]).index_add(0, frame, values)
    return total / count.view(-1, *[1] * (values.dim() - 1))


@MODELS.register_module()
class TranslatedPromptSAM2(SAM2Method):
    """Translated prompts (in the manner of AL-Ref-SAM2, Huang et al. 2025, and SAM4AVS).

    A sound classifier names what each second sounds like, a detector gives boxes with names, and
    the boxes whose name is heard become box prompts of a frozen SAM2, each decoded as an object
    of its own on its frame as an image. The frame's mask is their union; a second in which no
    class is heard, or none that is heard is detected, has an empty mask.

    Nothing flows from the masks that SAM2 makes to what is trained: classifier and detector have
    losses of their own, from the masks' boxes and from the clips' ``sources`` (training data must
    be wrapped in ``NamedSources``). Where both read files nothing is trained.

    Args:
        backbone: node of ``BACKBONES``.
        sound_classifier: node of ``SOUND_CLASSIFIERS``.
        detector: node of ``DETECTORS``.
        num_classes: K, of both.
        rule: ``threshold`` or ``argmax``, see :class:`Rule`.
        sound_threshold: probability from which a class is heard.
        box_threshold: score from which a box counts.
        boxes_per_class: boxes of a class that is heard.
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
        boxes_per_class: int = 1,
        **shared: Any,
    ) -> None:
        choice = Rule(rule, sound_threshold, box_threshold, boxes_per_class)
        problems = choice.problems()
        if num_classes < 1:
            problems.append(f"num_classes must be at least 1, got {num_classes}")
        for name, node in (("sound_classifier", sound_classifier), ("detector", detector)):
            if node is None:
                problems.append(f"{name} is None; without it nothing can be translated")
        for name in ("tracker", "mask_loss", "trained_parts"):
            if shared.get(name):
                problems.append(f"{name} is of no use here, leave it out")
        if problems:
            raise ValueError("TranslatedPromptSAM2: " + "; ".join(problems))
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
            "TranslatedPromptSAM2 learns names from the sources of the index, which these items "
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
        logits = self.sound_classifier(batch.log_mel, batch.clip).float()
        evidence = Evidence(
            batch.masks, batch.supervised, sources.to(logits), logits.detach().sigmoid()
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
        logits = self.sound_classifier(batch.log_mel, batch.clip)
        detections = self.detector(pyramid, batch.clip)
        heard = heard_classes(logits.float().sigmoid(), self.rule)
        return self.segment(pyramid, detections, sounding_boxes(detections, heard, self.rule))

    def segment(self, pyramid: VisualPyramid, detections: Detections, chosen: Tensor) -> Prediction:
        """Prompt SAM2 with the boxes that are chosen, (B, T, D) bool."""
        from auralsam2.models.backbones.sam2.network import Points

        network: PromptableSAM2 = self.backbone.network
        shape = chosen.shape[:2]
        num_frames = shape.numel()
        frame, place = chosen.flatten(0, 1).nonzero(as_tuple=True)
        boxes = detections.boxes.flatten(0, 1)[frame, place] * self.backbone.image_size
        maps = network.decoder_features([level.flatten(0, 1) for level in pyramid.levels])
        if not len(frame):
            return nothing(maps[0], shape)
        labels = torch.tensor([2, 3], dtype=torch.int32, device=boxes.device)
        out = network.decode(
            maps[2][frame] + network.no_mem_embed.reshape(1, -1, 1, 1),
            [maps[0][frame], maps[1][frame]],
            points=Points(boxes.view(-1, 2, 2), labels.expand(len(boxes), 2)),
        )
        masks, best = (
            join_boxes(
                network.gate(x, out.object_score_logits), frame, num_frames, empty=EMPTY_LOGIT
            )
            for x in (out.mask_logits, out.best)
        )
        score = join_boxes(out.object_score_logits, frame, num_frames, empty=EMPTY_LOGIT)
        ious = mean_of_boxes(out.ious, frame, num_frames)
        return Prediction(*(x.unflatten(0, shape) for x in (masks, ious, score, best[:, 0])))
