"""One pass of the mask decoder with audio prompts, as the tracker of a model makes it."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from auralsam2.models.auralsam2 import AuralSAM2
from auralsam2.models.backbones.sam2.network import Decoded, Points, PromptableSAM2
from auralsam2.models.tracking import appended_prompts, site_prompts
from auralsam2.structures import Prediction, Prompts


def decode_heard(
    network: PromptableSAM2,
    model: AuralSAM2,
    prompts: Prompts,
    features: Tensor,
    high_res: Sequence[Tensor],
    points: Points | None = None,
    masks: Tensor | None = None,
) -> Decoded:
    """Three masks of one frame.

    Args:
        network: decodes.
        model: says where its prompts go.
        prompts: of the frame, (1, 1, C) and (1, 1, N, C) a level.
        features: (1, C, E, E), after memory conditioning.
        high_res: (1, C/8, 4E, 4E) and (1, C/4, 2E, 2E).
        points: clicks and box corners.
        masks: (1, 1, 4E, 4E) mask prompt as logits.
    """
    tokens = appended_prompts(prompts, model.injection)
    return network.decode(
        features,
        high_res,
        points=points,
        masks=masks,
        extra_tokens=None if tokens is None else tokens[:, 0],
        prompts=site_prompts(prompts, model.injection, 0),
        injection=model.injection,
    )


def answered(model: AuralSAM2, decoded: Decoded) -> Tensor:
    """(1, 1, 4E, 4E) logits of the mask that the run's ``evaluation.decode`` gives."""
    logits, ious, score, best, _ = decoded
    frame = Prediction(logits[:, None], ious[:, None], score[:, None], best)
    return model.decode(frame)
