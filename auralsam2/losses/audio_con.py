"""AudioCon: sounding pixels are drawn to their sound and pushed from other pixels."""

from __future__ import annotations

from collections.abc import Collection

import torch
import torch.nn.functional as F
from torch import Tensor

from auralsam2.losses.contrastive import ContrastiveLoss, JointSet
from auralsam2.losses.negatives import log_negative_sums
from auralsam2.registry import CONTRASTIVE_LOSSES

REDUCTIONS = ("anchors_with_positive", "all_anchors")


def audio_con_loss(
    visual: Tensor,
    visual_labels: Tensor,
    audio: Tensor,
    audio_labels: Tensor,
    temperature: float = 0.1,
    repel_audio: bool = False,
    reduction: str = "anchors_with_positive",
    visual_positives: Collection[int] = (),
) -> Tensor:
    """Contrast visual anchors with audio positives and visual negatives.

    With ``s_ij = z_i . z_j / temperature``, P_i the audio embeddings of anchor i's label and
    N_i the visual embeddings of other labels::

        loss_i = - mean_{j in P_i} log( exp(s_ij) / (exp(s_ij) + sum_{n in N_i} exp(s_in)) )

    Visual pairs of one label neither attract nor repel, and audio is never an anchor.

    Args:
        visual: (V, D) anchors.
        visual_labels: (V,).
        audio: (A, D).
        audio_labels: (A,).
        temperature: divisor of the dot products.
        repel_audio: add audio embeddings of other labels to N_i, as the released code does.
        reduction: ``"anchors_with_positive"`` averages over anchors whose P_i is not empty;
            ``"all_anchors"``, the released code's, lets the others count as zero.
        visual_positives: labels whose visual pairs attract after all: P_i then holds the other
            visual embeddings of anchor i's label as well.

    Returns:
        A scalar; zero with a graph where no anchor has a positive.

    Raises:
        ValueError: if ``reduction`` is unknown.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"unknown {reduction=}; known: {', '.join(REDUCTIONS)}")
    negatives = log_negative_sums(
        visual,
        visual_labels,
        temperature,
        others=audio if repel_audio else None,
        other_labels=audio_labels if repel_audio else None,
    )
    losses = []
    for label in visual_labels.unique().tolist():
        anchors = visual_labels == label
        group = visual[anchors]
        similarity = group @ audio[audio_labels == label].T / temperature
        if label in visual_positives:
            others = _without_diagonal(group @ group.T) / temperature
            similarity = torch.cat((similarity, others), dim=1)
        if similarity.shape[1]:
            # -log(e^s / (e^s + e^n)) = softplus(n - s)
            terms = F.softplus(negatives[anchors].unsqueeze(1) - similarity)
            losses.append(terms.mean(dim=1))
    if not losses:
        return visual.sum() * 0 + audio.sum() * 0
    kept = torch.cat(losses)
    return kept.sum() / (len(visual) if reduction == "all_anchors" else len(kept))


def _without_diagonal(matrix: Tensor) -> Tensor:
    """Drop the diagonal of (M, M): a point is not its own positive. Returns (M, M - 1)."""
    off = ~torch.eye(len(matrix), dtype=torch.bool, device=matrix.device)
    return matrix[off].view(len(matrix), len(matrix) - 1)


@CONTRASTIVE_LOSSES.register_module()
class AudioConLoss(ContrastiveLoss):
    """AudioCon as published: audio attracts, only visual negatives repel.

    Args:
        temperature: divisor of the cosines.
        max_samples: K; at most K hard and K easy pixels a frame, level and class.
        max_anchors: cap on the sampled pixels of a joint set.
        pool: ``"clip"`` or ``"batch"``, see :class:`ContrastiveLoss`.
        weight: factor of the loss.
        repel_audio: audio of other labels repels too, see :func:`audio_con_loss`.
        reduction: ``"anchors_with_positive"`` or ``"all_anchors"``.

    Raises:
        ValueError: if arguments are out of range.
    """

    def __init__(
        self,
        temperature: float = 0.1,
        max_samples: int = 128,
        max_anchors: int = 15240,
        pool: str = "clip",
        weight: float = 1.0,
        repel_audio: bool = False,
        reduction: str = "anchors_with_positive",
    ) -> None:
        super().__init__(temperature, max_samples, max_anchors, pool, weight)
        if reduction not in REDUCTIONS:
            raise ValueError(f"unknown {reduction=}; known: {', '.join(REDUCTIONS)}")
        self.repel_audio = repel_audio
        self.reduction = reduction

    def joint_loss(self, joint: JointSet) -> Tensor:
        """Return the scalar loss of one joint set."""
        return audio_con_loss(
            *joint,
            temperature=self.temperature,
            repel_audio=self.repel_audio,
            reduction=self.reduction,
        )
