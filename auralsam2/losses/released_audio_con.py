"""The contrastive loss as the released code computes it; every defect can be repaired alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import Tensor

from auralsam2.losses.audio_con import AudioConLoss
from auralsam2.losses.contrastive import JointSet, SampledClips
from auralsam2.losses.released_sampling import (
    SamplingRules,
    choice_problems,
    keep_prefix,
    released_joint_set,
)
from auralsam2.registry import CONTRASTIVE_LOSSES
from auralsam2.structures import Embeddings

# The release removes visual pairs whose product of (label + 1) is 1 or 4, and no others.
LABELS_WITHOUT_VISUAL_PAIRS = (0, 1)


def released_audio_con(
    visual: Sequence[Tensor],
    audio: Sequence[Tensor],
    mask_logits: Tensor,
    masks: Tensor,
    generator: torch.Generator | None = None,
    **arguments: Any,
) -> Tensor:
    """Contrast the pixels of one clip with its sounds, as the released code does.

    Args:
        visual: one (T, N, D) a level, L2-normalised over D, N a square number.
        audio: one (T, D) a level, L2-normalised over D.
        mask_logits: (T, h, w) logits of the best mask.
        masks: (T, S, S) with values 0, 1 and 255.
        generator: source of randomness; None is torch's default one. A CPU generator seeded like
            the release's draws what the release draws.
        **arguments: of :class:`ReleasedAudioConLoss`.

    Returns:
        A scalar.
    """
    embeddings = Embeddings(tuple(x[None] for x in visual), tuple(x[None] for x in audio))
    supervised = torch.ones(1, len(masks), dtype=torch.bool, device=masks.device)
    loss = ReleasedAudioConLoss(**arguments)
    terms = loss(embeddings, mask_logits[None], masks[None], supervised, generator)
    return terms["loss_contrastive"]


@CONTRASTIVE_LOSSES.register_module()
class ReleasedAudioConLoss(AudioConLoss):
    """AudioCon with the sampling, the labels and the mean of the released code.

    Of each pair of values of an argument below, the first is the released code's and the default,
    the second what was meant. Visual pairs of labels other than 0 and 1 attract, which
    concerns the ignore class alone. Where a random prefix leaves no pixel the loss is zero; the
    release gives not-a-number.

    Args:
        repel_audio: audio of other labels repels too, see
            :func:`~auralsam2.losses.audio_con.audio_con_loss`.
        reduction: ``"all_anchors"`` or ``"anchors_with_positive"``, see the same.
        labels: ``"looked_up"`` or ``"own"``, see
            :class:`~auralsam2.losses.released_sampling.SamplingRules`, as for the next four.
        prediction: ``"logits"`` or ``"thresholded"``.
        quota: ``"added"`` or ``"filled"``.
        silent_rule: ``"one_value"`` or ``"empty"``.
        ignore_class: True or False.
        truncation: ``"prefix"`` cuts sets above ``max_anchors`` to a prefix of random length;
            ``"random"`` keeps ``max_anchors`` random pixels.
        **shared: of :class:`~auralsam2.losses.contrastive.ContrastiveLoss`. The release takes 64
            for ``max_samples`` in Ref-AVS, and trains with one clip a process: it would pool
            several.

    Raises:
        ValueError: if arguments are out of range; names all of them.
    """

    def __init__(
        self,
        repel_audio: bool = True,
        reduction: str = "all_anchors",
        labels: str = "looked_up",
        prediction: str = "logits",
        quota: str = "added",
        silent_rule: str = "one_value",
        ignore_class: bool = True,
        truncation: str = "prefix",
        **shared: Any,
    ) -> None:
        problems = choice_problems(
            labels=labels,
            prediction=prediction,
            quota=quota,
            silent_rule=silent_rule,
            truncation=truncation,
        )
        try:
            super().__init__(repel_audio, reduction, **shared)
        except ValueError as error:
            problems.insert(0, str(error))
        if problems:
            raise ValueError("\n".join(problems))
        self.rules = SamplingRules(labels, prediction, quota, silent_rule, ignore_class)
        self.truncation = truncation

    def joint_sets(
        self, clips: SampledClips, generator: torch.Generator | None = None
    ) -> list[JointSet]:
        """Sample the joint set of every clip, one after another."""
        embeddings, mask_logits, masks, supervised = clips
        sets = []
        for clip in range(len(masks)):
            heard = supervised[clip].bool()
            sets.append(
                released_joint_set(
                    [x[clip][heard] for x in embeddings.visual],
                    [x[clip][heard] for x in embeddings.audio],
                    mask_logits[clip][heard],
                    masks[clip][heard],
                    self.max_samples,
                    self.rules,
                    generator,
                )
            )
        return sets

    def limit(self, joint: JointSet, generator: torch.Generator | None) -> JointSet:
        """Return what truncation leaves of a joint set."""
        if self.truncation == "random":
            return super().limit(joint, generator)
        return keep_prefix(joint, self.max_anchors, generator)

    def visual_positives(self, joint: JointSet) -> Collection[int]:
        """Return the labels whose visual pairs the release does not remove."""
        return set(joint.visual_labels.tolist()).difference(LABELS_WITHOUT_VISUAL_PAIRS)
