"""Symmetric InfoNCE over all pairs of pixels and sounds."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from auralsam2.losses.contrastive import ContrastiveLoss, JointSet, log_negative_sums
from auralsam2.registry import CONTRASTIVE_LOSSES


def info_nce_loss(points: Tensor, labels: Tensor, temperature: float = 0.1) -> Tensor:
    """Contrast every point with all others, whatever their modality.

    With ``s_ij = z_i . z_j / temperature``, P_i the other points of i's label and N_i those of
    other labels::

        loss_i = - mean_{j in P_i} log( exp(s_ij) / (exp(s_ij) + sum_{n in N_i} exp(s_in)) )

    Args:
        points: (P, D), visual and audio embeddings together.
        labels: (P,).
        temperature: divisor of the dot products.

    Returns:
        Mean over points that have a positive; zero with a graph where none has.
    """
    negatives = log_negative_sums(points, labels, temperature)
    losses = []
    for label in labels.unique().tolist():
        members = labels == label
        group = points[members]
        if len(group) > 1:
            terms = F.softplus(negatives[members].unsqueeze(1) - group @ group.T / temperature)
            # A point is not its own positive.
            losses.append((terms.sum(dim=1) - terms.diagonal()) / (len(group) - 1))
    return torch.cat(losses).mean() if losses else points.sum() * 0


@CONTRASTIVE_LOSSES.register_module()
class InfoNCELoss(ContrastiveLoss):
    """Symmetric InfoNCE: visual-visual, visual-audio and audio-audio pairs all count.

    The baseline that AudioCon is compared with; it draws the same pixels. Memory grows with the
    square of the sampled pixels of a class. Its arguments are those of :class:`ContrastiveLoss`.
    """

    def joint_loss(self, joint: JointSet) -> Tensor:
        """Return the scalar loss of one joint set."""
        points = torch.cat((joint.visual, joint.audio))
        labels = torch.cat((joint.visual_labels, joint.audio_labels))
        return info_nce_loss(points, labels, self.temperature)
