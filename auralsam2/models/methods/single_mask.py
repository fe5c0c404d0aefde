"""SAM2's single-mask output: one mask of every frame, each frame an image.

Axes: F frames of all clips together, or objects; C channels, E side of the image embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from auralsam2.models.backbones.promptable import Decoded, Points
from auralsam2.models.decoder_rows import DecoderCalls, DecoderRow
from auralsam2.models.interaction import Interaction
from auralsam2.models.methods.base import SAM2Method
from auralsam2.structures import Prediction, VisualPyramid

if TYPE_CHECKING:
    from auralsam2.models.backbones.sam2.network import PromptableSAM2


def single_mask(network: PromptableSAM2, maps: Sequence[Tensor], **prompts: Any) -> Prediction:
    """The mask of mask token 0 as the decoder gives it.

    Neither upstream's choice by stability nor its gate by the object score is applied, and without
    points there is no padding point.

    Args:
        network: the SAM2.
        maps: as :meth:`PromptableSAM2.image_maps` gives them, or rows of them.
        **prompts: ``points``, ``masks`` and ``extra_tokens`` of :meth:`PromptableSAM2.decode`.

    Returns:
        One row F where a clip's has (B, T): the mask stands in the place of all candidates.
    """
    out = network.decode(maps[-1], maps[:-1], all_masks=True, **prompts)
    mask, iou = out.mask_logits[:, 0], out.ious[:, :1]
    candidates = mask[:, None].expand(-1, 3, -1, -1)
    return Prediction(candidates, iou.expand(-1, 3), out.object_score_logits, mask)


class FramesToClick(Interaction):
    """A clip whose frames are images: a click corrects its own frame and no other.

    Args:
        network: the SAM2.
        maps: (T, ...) of the clip, as :meth:`PromptableSAM2.image_maps` gives them.
        answered: whether the frames have masks before the first click.
    """

    def __init__(self, network: PromptableSAM2, maps: Sequence[Tensor], answered: bool) -> None:
        super().__init__(network, maps)
        if answered:
            first = single_mask(network, maps)
            self.frames = {t: _one_frame(first, t) for t in range(len(maps[0]))}

    def click(self, frame: int, points: Points) -> None:
        """See :meth:`Interaction.click`; the mask before is a prompt, too."""
        maps, before = self.frame_maps(frame), self.previous(frame)
        self.frames[frame] = _one_frame(
            single_mask(self.network, maps, points=points, masks=before), 0
        )


def _one_frame(answer: Prediction, frame: int) -> Decoded:
    """One of the rows (F, ...) that :func:`single_mask` gives."""
    logits, ious, score, mask = (rows[frame : frame + 1] for rows in answer.tensors)
    return Decoded(logits, ious, score, mask[:, None], pointer=score)  # nobody reads a pointer


def frames_to_click(
    network: PromptableSAM2, pyramid: VisualPyramid, answered: bool
) -> list[Interaction]:
    """B clips of a pyramid, see :class:`FramesToClick`."""
    shape, maps = pyramid.levels[0].shape[:2], network.image_maps(pyramid)
    clips = zip(*(rows.unflatten(0, shape) for rows in maps), strict=True)
    return [FramesToClick(network, own, answered) for own in clips]


class SingleMaskSAM2(SAM2Method):
    """A method that asks the decoder once for one mask of every frame of all clips.

    Args:
        **shared: see :class:`SAM2Method`, less the tracker.

    Raises:
        ValueError: where a tracker is given.
    """

    def __init__(self, **shared: Any) -> None:
        if shared.get("tracker") is not None:
            raise ValueError(f"{type(self).__name__}: tracker must be None, frames are images")
        super().__init__(**shared)

    def masks_of_frames(
        self, pyramid: VisualPyramid, tokens: Tensor | None = None, masks: Tensor | None = None
    ) -> Prediction:
        """One mask of each of the F = B T frames of a pyramid.

        Args:
            pyramid: of B clips of T frames.
            tokens: (B, T, K, C) prompts of every frame, if any.
            masks: (F, 1, 4E, 4E) mask prompts as logits, if any.
        """
        network = self.backbone.network
        extra = None if tokens is None else tokens.flatten(0, 1)
        answer = single_mask(network, network.image_maps(pyramid), extra_tokens=extra, masks=masks)
        return Prediction(*(x.unflatten(0, pyramid.levels[0].shape[:2]) for x in answer.tensors))

    def decoder_rows(self, masks: Tensor) -> DecoderCalls:
        """All frames of all clips in one call."""
        num_clips, num_frames = masks.shape[:2]
        return [[DecoderRow(i, t) for i in range(num_clips) for t in range(num_frames)]]
