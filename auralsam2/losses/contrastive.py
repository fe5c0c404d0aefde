"""What contrastive losses share: joint sets, their pooling, and what points are pushed from."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from auralsam2.losses.precision import at_least_float32
from auralsam2.losses.sampling import pixel_labels, pixel_predictions, sample_pixels
from auralsam2.messages import too_small, unknown_values
from auralsam2.shapes import check_shape
from auralsam2.structures import Embeddings

# exp(-2 * 30) is far from float32's smallest normal number.
_SAFE_BOUND = 30.0


def log_sums_of_both_sides(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """Log-sum-exp of ``left @ right.T``, (R, D) and (C, D), over columns (R,) and rows (C,)."""
    norms = [points.detach().norm(dim=1).max() for points in (left, right)]
    bound = float(norms[0] * norms[1])
    similarity = left @ right.T
    if bound > _SAFE_BOUND:
        return similarity.logsumexp(dim=1), similarity.logsumexp(dim=0)
    # No entry leaves [-bound, bound] (10 for cosines at temperature 0.1), so one exponential,
    # which is most of the cost, serves rows and columns.
    weights = similarity.sub_(bound).exp_()
    return weights.sum(dim=1).log() + bound, weights.sum(dim=0).log() + bound


def log_negative_sums(
    points: Tensor,
    labels: Tensor,
    temperature: float,
    others: Tensor | None = None,
    other_labels: Tensor | None = None,
    among: bool = True,
) -> Tensor:
    """Log of every point's negative mass, ``log sum_j exp(z_i . z_j / temperature)``.

    The sum runs over points (and ``others``) whose label differs. Each pair of classes is
    multiplied once for both sides, so that no matrix over all pairs is formed.

    Args:
        points: (P, D).
        labels: (P,).
        temperature: divisor of the dot products.
        others: (Q, D) further negatives that are not anchors themselves.
        other_labels: (Q,).
        among: points of other labels are negatives; off, ``others`` alone are.

    Returns:
        (P,), minus infinity where there is no negative.
    """
    classes = labels.unique().tolist()
    rows = {label: (labels == label).nonzero().squeeze(1) for label in classes}
    sums: dict[float, list[Tensor]] = {label: [] for label in classes}
    for position, first in enumerate(classes):
        scaled = points[rows[first]] / temperature
        for second in classes[position + 1 :] if among else ():
            of_first, of_second = log_sums_of_both_sides(scaled, points[rows[second]])
            sums[first].append(of_first)
            sums[second].append(of_second)
        if others is not None and len(negatives := others[other_labels != first]):
            sums[first].append((scaled @ negatives.T).logsumexp(dim=1))
    result = points.new_full((len(points),), -torch.inf)
    for label in filter(sums.get, classes):
        total = torch.stack(sums[label]).logsumexp(dim=0)
        result = result.index_put((rows[label],), total.to(result.dtype))
    return result


POOLS = ("clip", "batch")


class SampledClips(NamedTuple):
    """What a batch's joint sets are sampled from."""

    embeddings: Embeddings  # of every level
    mask_logits: Tensor  # (B, T, h, w)
    masks: Tensor  # (B, T, S, S)
    supervised: Tensor  # (B, T)


class JointSet(NamedTuple):
    """Sampled pixels and audio embeddings that are contrasted with each other."""

    visual: Tensor  # (V, D) embeddings of sampled pixels, all frames and levels
    visual_labels: Tensor  # (V,) 1 sounding object, 0 background
    audio: Tensor  # (A, D) embeddings of every supervised frame and level
    audio_labels: Tensor  # (A,) 1 where the frame shows a sounding object, 0 where it shows none


class ContrastiveLoss(nn.Module, ABC):
    """Sample pixels, gather the joint set of each clip and average the loss of the sets.

    A subclass implements :meth:`joint_loss`.

    Args:
        temperature: divisor of the cosines.
        max_samples: K; a frame, level and class gives at most K hard and K easy pixels, 2K
            together where one kind is scarce.
        max_anchors: cap on the sampled pixels of a joint set.
        pool: ``"clip"`` contrasts within each clip, all its frames and levels together, and
            averages over the clips of the batch. It is the default because a clip's loss then
            does not depend on its neighbours in the batch, as in the published training (one
            clip per process), and because audio of one clip says nothing about objects of
            another. ``"batch"`` forms one set over all clips.
        weight: factor of ``loss_contrastive``.

    Raises:
        ValueError: if arguments are out of range; names all of them.
    """

    def __init__(
        self,
        temperature: float = 0.1,
        max_samples: int = 128,
        max_anchors: int = 15240,
        pool: str = "clip",
        weight: float = 1.0,
    ) -> None:
        super().__init__()
        problems = [] if temperature > 0 else [f"temperature must be positive, got {temperature=}"]
        problems += too_small(max_samples=(max_samples, 1), max_anchors=(max_anchors, 1))
        problems += unknown_values(pool=(pool, POOLS))
        if problems:
            raise ValueError("\n".join(problems))
        self.temperature = temperature
        self.max_samples = max_samples
        self.max_anchors = max_anchors
        self.pool = pool
        self.weight = weight

    @abstractmethod
    def joint_loss(self, joint: JointSet) -> Tensor:
        """Return the scalar loss of one joint set, zero with a graph where it has no pair."""

    def forward(
        self,
        embeddings: Embeddings,
        mask_logits: Tensor,
        masks: Tensor,
        supervised: Tensor,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Contrast sounding pixels with silent ones.

        Args:
            embeddings: L2-normalised ``visual`` (B, T, N, D) and ``audio`` (B, T, D) per level,
                N a square number.
            mask_logits: (B, T, h, w) logits of the best mask; decide what is hard.
            masks: (B, T, S, S) truth in {0, 1}.
            supervised: (B, T) bool; the other frames are ignored.
            generator: source of randomness of the sampling.

        Returns:
            ``loss_contrastive``, a weighted scalar.
        """
        clips = SampledClips(embeddings, mask_logits, masks, supervised)
        _check_shapes(clips)
        sets = self.joint_sets(clips, generator)
        if self.pool == "batch":
            sets = [JointSet(*(torch.cat(parts) for parts in zip(*sets, strict=True)))]
        losses = [self.joint_loss(self.limit(s, generator)) for s in sets]
        return {"loss_contrastive": self.weight * torch.stack(losses).mean()}

    def limit(self, joint: JointSet, generator: torch.Generator | None) -> JointSet:
        """Keep a random subset of the pixels where there are more than ``max_anchors``."""
        if len(joint.visual) <= self.max_anchors:
            return joint
        device = joint.visual.device if generator is None else generator.device
        order = torch.randperm(len(joint.visual), generator=generator, device=device)
        kept = order[: self.max_anchors].to(joint.visual.device)
        return joint._replace(visual=joint.visual[kept], visual_labels=joint.visual_labels[kept])

    def joint_sets(
        self, clips: SampledClips, generator: torch.Generator | None = None
    ) -> list[JointSet]:
        """Sample the joint set of every clip."""
        embeddings, mask_logits, masks, supervised = clips
        num_clips, num_frames, num_tokens = embeddings.visual[0].shape[:3]
        num_levels, size = len(embeddings.visual), math.isqrt(num_tokens)
        # (B, L, T, N): every level draws its own pixels.
        shape = (num_clips, num_levels, num_frames, num_tokens)
        labels = pixel_labels(masks, size).unsqueeze(1).expand(shape)
        predictions = pixel_predictions(mask_logits, size).unsqueeze(1).expand(shape)
        drawn = sample_pixels(
            labels.reshape(-1, num_tokens),
            predictions.reshape(-1, num_tokens),
            self.max_samples,
            generator,
        ).view(shape)
        drawn &= supervised.bool()[:, None, :, None]
        # At full resolution: an object smaller than a token still makes its frame sound.
        present = (masks.flatten(2).amax(dim=-1) > 0).long()
        sets = []
        for clip in range(num_clips):
            heard = supervised[clip].bool()
            visual = [x[clip][drawn[clip, i]] for i, x in enumerate(embeddings.visual)]
            audio = [x[clip][heard] for x in embeddings.audio]
            sets.append(
                JointSet(
                    visual=at_least_float32(torch.cat(visual)),
                    visual_labels=labels[clip][drawn[clip]],
                    audio=at_least_float32(torch.cat(audio)),
                    audio_labels=present[clip][heard].repeat(num_levels),
                )
            )
        return sets


def _check_shapes(clips: SampledClips) -> None:
    (visual, audio), mask_logits, masks, supervised = clips
    if not visual or len(visual) != len(audio):
        raise ValueError(
            "embeddings need one visual and one audio tensor a level, got "
            f"{len(visual)} visual and {len(audio)} audio; does the model have a projector?"
        )
    sizes = check_shape(visual[0], "B T N D", "visual embeddings")
    if math.isqrt(sizes["N"]) ** 2 != sizes["N"]:
        raise ValueError(f"visual embeddings need a square number of tokens, got {sizes['N']}")
    for level in range(len(visual)):
        check_shape(visual[level], "B T N D", f"visual embeddings of level {level}", **sizes)
        check_shape(audio[level], "B T D", f"audio embeddings of level {level}", **sizes)
    clip_sizes = {axis: sizes[axis] for axis in "BT"}
    check_shape(mask_logits, "B T H W", "mask_logits", **clip_sizes)
    check_shape(masks, "B T S S", "masks", **clip_sizes)
    check_shape(supervised, "B T", "supervised", **clip_sizes)
