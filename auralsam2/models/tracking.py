"""How masks travel through a clip: order of frames, memory, one decoding a frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from auralsam2.models.backbones.promptable import Decoded, Points
from auralsam2.models.backbones.sam2.memory import ClipMemory
from auralsam2.models.gradient_checkpointing import recomputed
from auralsam2.models.injection import SitePrompts, StepwiseInjection
from auralsam2.registry import TRACKERS
from auralsam2.structures import Prediction, Prompts, VisualPyramid

if TYPE_CHECKING:
    from auralsam2.models.backbones.sam2.network import PromptableSAM2

CONDITIONING = ("first", "middle", "last")


@TRACKERS.register_module()
class MemoryTracker(nn.Module):
    """SAM2's video loop (paper, section 3.1): conditioning frame first, then in order of time.

    The conditioning frame sees no memory; every other frame attends to the memories and object
    pointers of the frames before it. The mask with the highest predicted IoU enters the memory.

    Args:
        train_conditioning: ``first``, ``middle`` or ``last`` frame while training.
        test_conditioning: the same in evaluation.
        use_memory: off, every frame is decoded on its own, as an image, all of them at once.
        gate_memory: where no object is seen, let an empty mask enter the memory, as upstream
            SAM2 does; AuralSAM2 stores the mask as it is.
        pointer_gradients: a frame's loss also trains, through the object pointers that it reads,
            the prompts of the frames before it (released). Off, every frame is trained apart;
            masks enter memory without gradient anyway.

    Raises:
        ValueError: on an unknown conditioning frame.
    """

    def __init__(
        self,
        train_conditioning: str = "middle",
        test_conditioning: str = "first",
        use_memory: bool = True,
        gate_memory: bool = False,
        pointer_gradients: bool = True,
    ) -> None:
        super().__init__()
        for name, value in (
            ("train_conditioning", train_conditioning),
            ("test_conditioning", test_conditioning),
        ):
            if value not in CONDITIONING:
                raise ValueError(f"{name} got {value!r}; known: {', '.join(CONDITIONING)}")
        self.train_conditioning, self.test_conditioning = train_conditioning, test_conditioning
        self.use_memory, self.gate_memory = use_memory, gate_memory
        self.pointer_gradients = pointer_gradients
        self._run: Callable[..., Decoded] = _call

    def checkpoint(self) -> None:
        """Let every frame's memory attention and decoding be computed again in the backward pass.

        What a frame reads of the memory has not changed by then: it holds earlier frames only.
        """
        self._run = recomputed

    def conditioning_frame(self, num_frames: int) -> int:
        """Index of the conditioning frame of a clip of ``num_frames`` in the present mode."""
        name = self.train_conditioning if self.training else self.test_conditioning
        return {"first": 0, "middle": num_frames // 2, "last": num_frames - 1}[name]

    def forward(
        self,
        network: PromptableSAM2,
        pyramid: VisualPyramid,
        prompts: Prompts,
        injection: StepwiseInjection | None = None,
    ) -> Prediction:
        """Masks of all T frames; image features are not touched by prompts.

        Args:
            network: the SAM2.
            pyramid: raw maps, (B, T, C, 4E, 4E) to (B, T, C, E, E).
            prompts: audio prompts of every frame.
            injection: where they go; not needed where all of them are off.
        """
        clips = pyramid.levels[0].shape[:2]
        if not self.use_memory:
            *finer, image = network.image_maps(pyramid)
            every = self._run(decode_frames, network, image, finer, prompts, injection)
            return _prediction(*(x.unflatten(0, clips) for x in every))
        flat = network.decoder_features([level.flatten(0, 1) for level in pyramid.levels])
        *finer, coarse = (maps.unflatten(0, clips) for maps in flat)
        memory = ClipMemory(network, clips[1])
        order = frame_order(clips[1], self.conditioning_frame(clips[1]))

        def decode(t: int) -> Decoded:
            image = memory.condition(t, coarse[:, t], t == order[0])
            return decode_frames(network, image, [m[:, t] for m in finer], prompts.at(t), injection)

        answers: dict[int, Decoded] = {}
        for t in order:
            answers[t] = self._run(decode, t)
            if t != order[-1]:  # nobody reads the memory of the last one
                out = network.gated(answers[t]) if self.gate_memory else answers[t]
                if not self.pointer_gradients:
                    out = out._replace(pointer=out.pointer.detach())
                memory.store(t, coarse[:, t], out, is_conditioning=t == order[0])
        return of_clips([answers[t] for t in range(clips[1])])


def of_clips(answers: Sequence[Decoded]) -> Prediction:
    """Join answers (B, ...) to T frames of B clips, in order of time, to those of the clips."""
    fields = zip(*(out[:4] for out in answers), strict=True)  # nobody reads a pointer any more
    return _prediction(*(torch.stack(parts, dim=1) for parts in fields))


def frame_order(num_frames: int, conditioning: int) -> Sequence[int]:
    """The conditioning frame first, then the others in increasing order."""
    return [conditioning, *(t for t in range(num_frames) if t != conditioning)]


def decode_frames(
    network: PromptableSAM2,
    features: Tensor,
    finer: Sequence[Tensor],
    prompts: Prompts,
    injection: StepwiseInjection | None,
    points: Points | None = None,
    masks: Tensor | None = None,
) -> Decoded:
    """One pass of prompt encoder and decoder, with the audio prompts of R = B T frames.

    Args:
        network: the SAM2.
        features: (R, C, E, E), after memory conditioning.
        finer: (R, C/8, 4E, 4E) and (R, C/4, 2E, 2E), where the network has them.
        prompts: of the T frames of B clips.
        injection: where they go.
        points: clicks and box corners.
        masks: (R, 1, 4E, 4E) mask prompt as logits.
    """
    return network.decode(
        features,
        finer,
        points=points,
        masks=masks,
        extra_tokens=appended_prompts(prompts, injection),
        prompts=site_prompts(prompts, injection),
        injection=injection,
    )


def site_prompts(prompts: Prompts, injection: StepwiseInjection | None) -> Sequence[SitePrompts]:
    """The prompts of R = B T frames, one entry a site of the decoder; empty where all are off."""
    num_levels = max(len(prompts.sparse), len(prompts.dense))
    if not num_levels:
        return ()
    assert injection is not None, "prompts need an injection"
    added, dense = injection.added_levels(num_levels), injection.dense_levels(num_levels)
    return [
        SitePrompts(_of_level(prompts.sparse, s), _of_level(prompts.dense, d))
        for s, d in zip(added, dense, strict=True)
    ]


def appended_prompts(prompts: Prompts, injection: StepwiseInjection | None) -> Tensor | None:
    """Sparse prompts that are tokens of their own, (R, K, C); ``None`` where there are none."""
    if injection is None or not prompts.sparse:
        return None
    levels = injection.appended_levels(len(prompts.sparse))
    return torch.stack([prompts.sparse[i].flatten(0, 1) for i in levels], 1) if levels else None


def _of_level(prompts: Sequence[Tensor], level: int | None) -> Tensor | None:
    return None if not prompts or level is None else prompts[level].flatten(0, 1)


def _call(function: Callable[..., Decoded], *given: Any) -> Decoded:
    return function(*given)


def _prediction(
    mask_logits: Tensor, ious: Tensor, score: Tensor, best: Tensor, *_: Tensor
) -> Prediction:
    """From the fields of ``Decoded``, of (B, T) frames."""
    return Prediction(mask_logits, ious, score, best[:, :, 0])
