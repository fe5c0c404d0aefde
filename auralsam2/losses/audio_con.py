"""AudioCon: sound and its pixels are drawn together, and pushed from other pixels."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from auralsam2.losses.contrastive import ContrastiveLoss, JointSet, log_negative_sums
from auralsam2.messages import unknown_values
from auralsam2.registry import CONTRASTIVE_LOSSES

REDUCTIONS = ("anchors_with_positive", "all_anchors")
ANCHORS = ("visual", "audio")


def audio_con_loss(
    visual: Tensor,
    visual_labels: Tensor,
    audio: Tensor,
    audio_labels: Tensor,
    temperature: float = 0.1,
    repel_audio: bool = False,
    reduction: str = "anchors_with_positive",
    visual_positives: Collection[int] = (),
    anchors: str = "visual",
) -> Tensor:
    """Contrast anchors of one modality with positives of the other and visual negatives.

    With ``s_ij = z_i . z_j / temperature``, P_i the embeddings of the other modality that have
    anchor i's label and N_i the visual embeddings of other labels::

        loss_i = - mean_{j in P_i} log( exp(s_ij) / (exp(s_ij) + sum_{n in N_i} exp(s_in)) )

    Pixels as anchors (the released code) are drawn to their sounds and pushed from the pixels of
    other labels: s_in multiplies two pixels. Sounds as anchors (the paper's words, "audio as the
    anchor") draw the pixels of their label and push the others away: s_in multiplies a sound and a
    pixel, and no two pixels meet. Pairs of one modality and one label neither attract nor repel.

    Args:
        visual: (V, D).
        visual_labels: (V,).
        audio: (A, D).
        audio_labels: (A,).
        temperature: divisor of the dot products.
        repel_audio: add audio embeddings of other labels to N_i, as the released code does.
        reduction: ``"anchors_with_positive"`` averages over anchors whose P_i is not empty;
            ``"all_anchors"``, the released code's, lets the others count as zero.
        visual_positives: labels whose visual pairs attract after all: P_i of a visual anchor then
            holds the other visual embeddings of its label as well.
        anchors: ``"visual"`` or ``"audio"``, whose loss_i are averaged.

    Returns:
        A scalar; zero with a graph where no anchor has a positive.

    Raises:
        ValueError: if ``reduction`` or ``anchors`` is unknown.
    """
    _check_choices(reduction, anchors)
    own, own_labels, opposite, opposite_labels = visual, visual_labels, audio, audio_labels
    if anchors == "audio":
        own, own_labels, opposite, opposite_labels = audio, audio_labels, visual, visual_labels
    repels = repel_audio or anchors == "audio"
    negatives = log_negative_sums(
        own,
        own_labels,
        temperature,
        others=opposite if repels else None,
        other_labels=opposite_labels if repels else None,
        among=repel_audio or anchors == "visual",
    )
    losses = []
    for label in own_labels.unique().tolist():
        members = own_labels == label
        group = own[members]
        similarity = group @ opposite[opposite_labels == label].T / temperature
        if label in visual_positives and anchors == "visual":
            others = _without_diagonal(group @ group.T) / temperature
            similarity = torch.cat((similarity, others), dim=1)
        if similarity.shape[1]:
            # -log(e^s / (e^s + e^n)) = softplus(n - s)
            terms = F.softplus(negatives[members].unsqueeze(1) - similarity)
            losses.append(terms.mean(dim=1))
    if not losses:
        return visual.sum() * 0 + audio.sum() * 0
    kept = torch.cat(losses)
    return kept.sum() / (len(own) if reduction == "all_anchors" else len(kept))


def _check_choices(reduction: str, anchors: str) -> None:
    problems = unknown_values(reduction=(reduction, REDUCTIONS), anchors=(anchors, ANCHORS))
    if problems:
        raise ValueError("\n".join(problems))


def _without_diagonal(matrix: Tensor) -> Tensor:
    """Drop the diagonal of (M, M): a point is not its own positive. Returns (M, M - 1)."""
    off = ~torch.eye(len(matrix), dtype=torch.bool, device=matrix.device)
    return matrix[off].view(len(matrix), len(matrix) - 1)


@CONTRASTIVE_LOSSES.register_module()
class AudioConLoss(ContrastiveLoss):
    """AudioCon as published: audio attracts, only visual negatives repel.

    Args:
        repel_audio: audio of other labels repels too, see :func:`audio_con_loss`.
        reduction: ``"anchors_with_positive"`` or ``"all_anchors"``.
        anchors: ``"visual"``, pixels as in the released code, or ``"audio"``, sounds as in the
            paper's words; see the same.
        **shared: of :class:`~auralsam2.losses.contrastive.ContrastiveLoss`.

    Raises:
        ValueError: if arguments are out of range.
    """

    def __init__(
        self,
        repel_audio: bool = False,
        reduction: str = "anchors_with_positive",
        anchors: str = "visual",
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        _check_choices(reduction, anchors)
        self.repel_audio = repel_audio
        self.reduction = reduction
        self.anchors = anchors

    def joint_loss(self, joint: JointSet) -> Tensor:
        """Return the scalar loss of one joint set."""
        return audio_con_loss(
            *joint,
            temperature=self.temperature,
            repel_audio=self.repel_audio,
            reduction=self.reduction,
            visual_positives=self.visual_positives(joint),
            anchors=self.anchors,
        )

    def visual_positives(self, joint: JointSet) -> Collection[int]:
        """Return the labels whose visual pairs attract; none as published."""
        return ()
