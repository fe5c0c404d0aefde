"""How masks travel through a clip: order of frames, memory, one decoding a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from auralsam2.models.gradient_checkpointing import recomputed
from auralsam2.models.injection import SitePrompts, StepwiseInjection
from auralsam2.registry import TRACKERS
from auralsam2.structures import Prediction, Prompts, VisualPyramid

if TYPE_CHECKING:
    from auralsam2.models.backbones.sam2.network import Decoded, Points, PromptableSAM2

CONDITIONING = ("first", "middle", "last")


@TRACKERS.register_module()
class MemoryTracker(nn.Module):
    """SAM2's video loop (paper, section 3.1): conditioning frame first, then in order of time.

    The conditioning frame sees no memory; every other frame attends to the memories and object
    pointers of the frames before it. The mask with the highest predicted IoU enters the memory.

    Args:
        train_conditioning: ``first``, ``middle`` or ``last`` frame while training.
        test_conditioning: the same in evaluation.
        use_memory: off, every frame is decoded on its own, as an image.
        gate_memory: where no object is seen, let an empty mask enter the memory, as upstream
            SAM2 does; AuralSAM2 stores the mask as it is.

    Raises:
        ValueError: on an unknown conditioning frame.
    """

    def __init__(
        self,
        train_conditioning: str = "middle",
        test_conditioning: str = "first",
        use_memory: bool = True,
        gate_memory: bool = False,
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
        self._recomputes = False

    def checkpoint(self) -> None:
        """Let every frame's memory attention and decoding be computed again in the backward pass.

        What a frame reads of the memory has not changed by then: it holds earlier frames only.
        """
        self._recomputes = True

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
        points: Mapping[int, Points] | None = None,
        masks: Mapping[int, Tensor] | None = None,
    ) -> Prediction:
        """Masks of all T frames; image features are not touched by prompts of any kind.

        Args:
            network: the SAM2.
            pyramid: raw maps, (B, T, C, 4E, 4E) to (B, T, C, E, E).
            prompts: audio prompts of every frame.
            injection: where they go; not needed where all of them are off.
            points: clicks or boxes of single frames, by index of the frame.
            masks: mask prompts of single frames, (B, 1, 4E, 4E) logits by index of the frame.
        """
        clips = pyramid.levels[0].shape[:2]
        flat = network.decoder_features([level.flatten(0, 1) for level in pyramid.levels])
        fine, middle, coarse = (maps.unflatten(0, clips) for maps in flat)
        tokens = appended_prompts(prompts, injection)

        def decode(t: int, features: Tensor) -> Decoded:
            return network.decode(
                features,
                [fine[:, t], middle[:, t]],
                points=(points or {}).get(t),
                masks=(masks or {}).get(t),
                extra_tokens=None if tokens is None else tokens[:, t],
                prompts=site_prompts(prompts, injection, t),
                injection=injection,
            )

        return _stack(self._through_clip(network, coarse, decode))

    def _through_clip(
        self, network: PromptableSAM2, coarse: Tensor, decode: Callable[[int, Tensor], Decoded]
    ) -> list[Decoded]:
        """Decode each frame given its memory of the others, (B, T, C, E, E)."""
        from auralsam2.models.backbones.sam2.memory import ClipMemory

        num_frames = coarse.shape[1]
        conditioning = self.conditioning_frame(num_frames)
        order = frame_order(num_frames, conditioning)
        memory = ClipMemory(network, num_frames)
        answers: dict[int, Decoded] = {}
        for t in order:
            is_conditioning = not self.use_memory or t == conditioning

            def answer(t: int = t, is_conditioning: bool = is_conditioning) -> Decoded:
                return decode(t, memory.condition(t, coarse[:, t], is_conditioning))

            answers[t] = recomputed(answer) if self._recomputes else answer()
            _, _, score, best, pointer = answers[t]
            if self.use_memory and t != order[-1]:  # nobody reads the memory of the last one
                mask = network.upsample(network.gate(best, score) if self.gate_memory else best)
                memory.store(t, coarse[:, t], mask, pointer, score, is_conditioning=is_conditioning)
        return [answers[t] for t in range(num_frames)]


def frame_order(num_frames: int, conditioning: int) -> Sequence[int]:
    """The conditioning frame first, then the others in increasing order."""
    return [conditioning, *(t for t in range(num_frames) if t != conditioning)]


def site_prompts(
    prompts: Prompts, injection: StepwiseInjection | None, frame: int
) -> Sequence[SitePrompts]:
    """The prompts of one frame, one entry a site of the decoder; empty where all are off."""
    num_levels = max(len(prompts.sparse), len(prompts.dense))
    if not num_levels:
        return ()
    assert injection is not None, "prompts need an injection"
    added, dense = injection.added_levels(num_levels), injection.dense_levels(num_levels)
    return [
        SitePrompts(_of_level(prompts.sparse, s, frame), _of_level(prompts.dense, d, frame))
        for s, d in zip(added, dense, strict=True)
    ]


def appended_prompts(prompts: Prompts, injection: StepwiseInjection | None) -> Tensor | None:
    """Sparse prompts that are tokens of their own, (B, T, K, C); ``None`` where there are none."""
    if injection is None or not prompts.sparse:
        return None
    levels = injection.appended_levels(len(prompts.sparse))
    return torch.stack([prompts.sparse[i] for i in levels], dim=2) if levels else None


def _of_level(prompts: Sequence[Tensor], level: int | None, frame: int) -> Tensor | None:
    return prompts[level][:, frame] if prompts and level is not None else None


def _stack(answers: Sequence[Decoded]) -> Prediction:
    return Prediction(
        mask_logits=torch.stack([a.mask_logits for a in answers], dim=1),
        ious=torch.stack([a.ious for a in answers], dim=1),
        object_score_logits=torch.stack([a.object_score_logits for a in answers], dim=1),
        best=torch.stack([a.best[:, 0] for a in answers], dim=1),
    )
