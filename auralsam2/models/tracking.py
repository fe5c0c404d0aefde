"""How masks travel through a clip: order of frames, memory, one decoding a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
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
        watched = torch.is_grad_enabled() and any(level.requires_grad for level in pyramid.levels)
        if not points and not masks and not watched and network.is_frozen:
            return self._frozen(network, pyramid, prompts, injection)
        return self._official(network, pyramid, prompts, injection, points or {}, masks or {})

    def _official(
        self,
        network: PromptableSAM2,
        pyramid: VisualPyramid,
        prompts: Prompts,
        injection: StepwiseInjection | None,
        points: Mapping[int, Points],
        masks: Mapping[int, Tensor],
    ) -> Prediction:
        from auralsam2.models.backbones.sam2.memory import ClipMemory

        clips = pyramid.levels[0].shape[:2]
        flat = network.decoder_features([level.flatten(0, 1) for level in pyramid.levels])
        *finer, coarse = (maps.unflatten(0, clips) for maps in flat)
        memory = ClipMemory(network, clips[1])

        def decode(t: int, is_conditioning: bool) -> Decoded:
            features = memory.condition(t, coarse[:, t], is_conditioning)
            maps, given = [maps[:, t] for maps in finer], (points.get(t), masks.get(t))
            return decode_frame(network, features, maps, prompts, injection, t, *given)

        def store(t: int, mask: Tensor, pointer: Tensor, score: Tensor, first: bool) -> None:
            memory.store(t, coarse[:, t], mask, pointer, score, is_conditioning=first)

        return self._through_clips(network, clips[1], decode, store)

    def _frozen(
        self,
        network: PromptableSAM2,
        pyramid: VisualPyramid,
        prompts: Prompts,
        injection: StepwiseInjection | None,
    ) -> Prediction:
        """The same up to rounding where nothing of the network is trained or watched."""
        clips, decoder = pyramid.levels[0].shape[:2], network.clip_decoder()
        with torch.no_grad():
            *finer, coarse = network.decoder_features([m.flatten(0, 1) for m in pyramid.levels])
        features, tokens = decoder.features(*finer), appended_prompts(prompts, injection)
        if not self.use_memory:
            image = coarse.flatten(2).transpose(1, 2) + network.no_mem_embed
            extra = None if tokens is None else tokens.flatten(0, 1)
            sites = site_prompts(prompts, injection)
            every = partial(
                network.decode_frozen, decoder, image, features, extra, sites, injection
            )
            found = recomputed(every) if self._recomputes else every()
            return _prediction(*(x.unflatten(0, clips) for x in found))
        rows = [m.unflatten(0, clips) for m in features]
        memory = network.clip_memory(coarse.unflatten(0, clips), self.conditioning_frame(clips[1]))

        def decode(t: int, is_conditioning: bool) -> Decoded:
            return network.decode_frozen(
                decoder,
                memory.without_memory(t) if is_conditioning else memory.condition(t),
                type(features)(*(m[:, t] for m in rows)),
                None if tokens is None else tokens[:, t],
                site_prompts(prompts, injection, t),
                injection,
            )

        return self._through_clips(network, clips[1], decode, memory.store)

    def _through_clips(
        self,
        network: PromptableSAM2,
        num_frames: int,
        decode: Callable[[int, bool], Decoded],
        store: Callable[[int, Tensor, Tensor, Tensor, bool], None],
    ) -> Prediction:
        """Decode frame after frame, each given the memory of those before.

        Args:
            network: the SAM2.
            num_frames: T.
            decode: answers a frame, given whether it sees no memory.
            store: remembers a frame by its mask (B, 1, S, S), pointer and score, given whether it
                is the conditioning one.
        """
        conditioning = self.conditioning_frame(num_frames)
        order = frame_order(num_frames, conditioning)
        answers: dict[int, Decoded] = {}
        for t in order:
            first = not self.use_memory or t == conditioning
            answers[t] = recomputed(decode, t, first) if self._recomputes else decode(t, first)
            _, _, score, best, pointer = answers[t]
            if self.use_memory and t != order[-1]:  # nobody reads the memory of the last one
                mask = network.upsample(network.gate(best, score) if self.gate_memory else best)
                store(
                    t, mask, pointer if self.pointer_gradients else pointer.detach(), score, first
                )
        stacked = zip(*(answers[t] for t in range(num_frames)), strict=True)
        return _prediction(*(torch.stack(parts, dim=1) for parts in stacked))


def frame_order(num_frames: int, conditioning: int) -> Sequence[int]:
    """The conditioning frame first, then the others in increasing order."""
    return [conditioning, *(t for t in range(num_frames) if t != conditioning)]


def site_prompts(
    prompts: Prompts, injection: StepwiseInjection | None, frame: int | None = None
) -> Sequence[SitePrompts]:
    """The prompts of one frame, one entry a site of the decoder; empty where all are off.

    Without a frame those of all frames, clips and frames as one axis.
    """
    num_levels = max(len(prompts.sparse), len(prompts.dense))
    if not num_levels:
        return ()
    assert injection is not None, "prompts need an injection"
    added, dense = injection.added_levels(num_levels), injection.dense_levels(num_levels)
    return [
        SitePrompts(_of_level(prompts.sparse, s, frame), _of_level(prompts.dense, d, frame))
        for s, d in zip(added, dense, strict=True)
    ]


def decode_frame(
    network: PromptableSAM2,
    features: Tensor,
    finer: Sequence[Tensor],
    prompts: Prompts,
    injection: StepwiseInjection | None,
    frame: int,
    points: Points | None = None,
    masks: Tensor | None = None,
) -> Decoded:
    """One pass of prompt encoder and decoder, with the audio prompts of a frame.

    Args:
        network: the SAM2.
        features: (B, C, E, E), after memory conditioning.
        finer: (B, C/8, 4E, 4E) and (B, C/4, 2E, 2E), where the network has them.
        prompts: of the clips.
        injection: where they go.
        frame: its index.
        points: clicks and box corners.
        masks: (B, 1, 4E, 4E) mask prompt as logits.
    """
    tokens = appended_prompts(prompts, injection)
    return network.decode(
        features,
        finer,
        points=points,
        masks=masks,
        extra_tokens=None if tokens is None else tokens[:, frame],
        prompts=site_prompts(prompts, injection, frame),
        injection=injection,
    )


def appended_prompts(prompts: Prompts, injection: StepwiseInjection | None) -> Tensor | None:
    """Sparse prompts that are tokens of their own, (B, T, K, C); ``None`` where there are none."""
    if injection is None or not prompts.sparse:
        return None
    levels = injection.appended_levels(len(prompts.sparse))
    return torch.stack([prompts.sparse[i] for i in levels], dim=2) if levels else None


def _of_level(prompts: Sequence[Tensor], level: int | None, frame: int | None) -> Tensor | None:
    if not prompts or level is None:
        return None
    return prompts[level].flatten(0, 1) if frame is None else prompts[level][:, frame]


def _prediction(
    mask_logits: Tensor, ious: Tensor, score: Tensor, best: Tensor, *_: Tensor
) -> Prediction:
    """From the fields of ``Decoded``, of (B, T) frames."""
    return Prediction(mask_logits, ious, score, best[:, :, 0])
