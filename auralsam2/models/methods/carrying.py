"""Objects that SAM2's memory carries through a clip, by the rules of its official video predictor.

Axes: K objects, S side of the image, C channels, E side of the image embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from auralsam2.models.backbones.promptable import Decoded, Points
from auralsam2.models.backbones.sam2.memory import ClipMemory

if TYPE_CHECKING:
    from auralsam2.models.backbones.sam2.network import PromptableSAM2


def decode_as_video(
    memory: ClipMemory,
    t: int,
    maps: Sequence[Tensor],
    points: Points | None = None,
    masks: Tensor | None = None,
    is_conditioning: bool = False,
    keep: bool = True,
    backwards: bool = False,
) -> Decoded:
    """Answer for K objects of frame ``t``; where no object is seen their mask is empty.

    Args:
        memory: of the clip so far.
        t: the frame.
        maps: of the frame, repeated K times, as ``decoder_features`` gives them.
        points: clicks or boxes of the K objects.
        masks: (K, 1, 4E, 4E) mask prompts as logits.
        is_conditioning: the frame has prompts and sees no memory.
        keep: remember the answer.
        backwards: the clip is gone through from its end.
    """
    network = memory.network
    features = memory.condition(t, maps[-1], is_conditioning, backwards)
    out = network.decode(features, maps[:-1], points=points, masks=masks, pad_point=True)
    out = network.gated(out)
    if keep:
        memory.store(
            t,
            maps[-1],
            out,
            is_conditioning=is_conditioning,
            from_prompts=is_conditioning,
        )
    return out


def carry_masks(
    network: PromptableSAM2, maps: Sequence[Tensor], t: int, masks: Tensor
) -> list[Decoded]:
    """Given masks of K objects on frame ``t`` are carried to the end and then to the beginning.

    The given masks are that frame's answer. Memories of the way to the end serve the way back.

    Args:
        network: the SAM2.
        maps: of T frames, (T, ...), as ``decoder_features`` gives them.
        t: frame of the masks.
        masks: (K, 1, S, S) in {0, 1}.

    Returns:
        T answers.
    """
    num_frames = len(maps[0])
    memory = ClipMemory(network, num_frames)

    def frame(index: int) -> list[Tensor]:
        return [m[index : index + 1].expand(len(masks), -1, -1, -1) for m in maps]

    answers = {t: start_from_masks(memory, t, frame(t), masks)}
    for index in (*range(t + 1, num_frames), *range(t - 1, -1, -1)):
        answers[index] = decode_as_video(memory, index, frame(index), backwards=index < t)
    return [answers[index] for index in range(num_frames)]


def start_from_masks(memory: ClipMemory, t: int, maps: Sequence[Tensor], masks: Tensor) -> Decoded:
    """Remember masks (K, 1, S, S) in {0, 1} as what frame ``t`` shows; they are its answer."""
    network = memory.network
    features = memory.condition(t, maps[-1], is_conditioning=True)
    *_, low, _, pointer, score = network._use_mask_as_output(features, list(maps[:-1]), masks)
    ious = torch.ones_like(low[:, :1, 0, 0]).expand(-1, 3)
    out = Decoded(low.expand(-1, 3, -1, -1), ious, score, low, pointer)
    memory.store(t, maps[-1], out, is_conditioning=True)
    return out
