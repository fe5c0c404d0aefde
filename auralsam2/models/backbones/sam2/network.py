"""SAM2 as the official classes build it, with prompts that can be injected into its decoder.

Same parameters and keys as upstream's ``SAM2Base``: only the two-way transformer is exchanged for
its injectable subclass, and frames can be decoded without the padding point that upstream adds
where no click is given (AuralSAM2's decoder sees exactly its six output tokens).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
import torch.nn.functional as F
from sam2.modeling.sam2_base import NO_OBJ_SCORE, SAM2Base
from torch import Tensor

from auralsam2.models.backbones.sam2.frozen import MadeOfWeights, is_untouched
from auralsam2.models.backbones.sam2.frozen_decoder import (
    FineFeatures,
    FrozenDecoder,
    can_decode,
    decoder_constants,
)
from auralsam2.models.backbones.sam2.frozen_memory import (
    FrozenClipMemory,
    can_remember,
    memory_constants,
)
from auralsam2.models.backbones.sam2.injection import InjectableTwoWayTransformer
from auralsam2.models.injection import SitePrompts, StepwiseInjection
from auralsam2.shapes import check_shape


class Decoded(NamedTuple):
    """The decoder's answer for one frame of B clips; M masks (4, or 3 with multimask only)."""

    mask_logits: Tensor  # (B, M, 4E, 4E)
    ious: Tensor  # (B, M)
    object_score_logits: Tensor  # (B, 1)
    best: Tensor  # (B, 1, 4E, 4E), the mask with the highest predicted IoU among the candidates
    pointer: Tensor  # (B, C) object pointer of the best mask


class Points(NamedTuple):
    """Clicks and box corners."""

    coords: Tensor  # (B, P, 2) as x, y in pixels
    # (B, P): 1 and 0 for positive and negative clicks, 2 and 3 for a box's corners, -1 for padding.
    labels: Tensor


OBSERVED = (
    "decode",
    "_encode_new_memory",
    "_prepare_memory_conditioned_features",
    "_predict_masks",
)
"""Methods that a caller may replace, on an instance or in a subclass, to see what they get."""


class PromptableSAM2(SAM2Base):
    """Official SAM2 whose mask decoder accepts audio prompts.

    While nothing behind its image encoder is trained, hooked or replaced (``is_frozen``), frames
    may be decoded by ``decode_frozen`` and remembered by ``clip_memory``: the same numbers up to
    rounding, by fewer and larger products.
    """

    def _build_sam_heads(self) -> None:
        self._decoder_constants = MadeOfWeights(decoder_constants)
        self._memory_constants = MadeOfWeights(memory_constants)
        super()._build_sam_heads()
        official = self.sam_mask_decoder.transformer
        self.sam_mask_decoder.transformer = InjectableTwoWayTransformer(
            depth=official.depth,
            embedding_dim=official.embedding_dim,
            num_heads=official.num_heads,
            mlp_dim=official.mlp_dim,
        )

    @property
    def embedding_size(self) -> int:
        """E, the side of the coarsest feature map."""
        return int(self.sam_image_embedding_size)

    def raw_pyramid(self, frames: Tensor) -> list[Tensor]:
        """The neck's maps before ``conv_s0`` and ``conv_s1``, of normalised (F, 3, S, S) frames.

        Returns:
            (F, C, 4E, 4E), (F, C, 2E, 2E), (F, C, E, E).
        """
        return list(self.image_encoder(frames)["backbone_fpn"])

    def decoder_features(self, pyramid: Sequence[Tensor]) -> list[Tensor]:
        """The maps as decoder and memory want them: the two finer ones reduced to C/8 and C/4."""
        decoder = self.sam_mask_decoder
        return [decoder.conv_s0(pyramid[0]), decoder.conv_s1(pyramid[1]), pyramid[2]]

    def position_maps(self, batch: int) -> list[Tensor]:
        """Sine codes of the coarsest map, (N, B, C), as the memory attention wants them."""
        e = self.embedding_size
        parameter = next(self.parameters())
        probe = torch.empty(1, 1, e, e, device=parameter.device, dtype=parameter.dtype)
        code = self.image_encoder.neck.position_encoding(probe)
        return [code.flatten(2).permute(2, 0, 1).expand(-1, batch, -1)]

    def decode(
        self,
        features: Tensor,
        high_res: Sequence[Tensor],
        *,
        points: Points | None = None,
        masks: Tensor | None = None,
        extra_tokens: Tensor | None = None,
        prompts: Sequence[SitePrompts] = (),
        injection: StepwiseInjection | None = None,
        pad_point: bool = False,
        all_masks: bool = False,
        single: bool = False,
    ) -> Decoded:
        """One pass of prompt encoder and mask decoder.

        Args:
            features: (B, C, E, E), after memory conditioning.
            high_res: (B, C/8, 4E, 4E) and (B, C/4, 2E, 2E).
            points: clicks and boxes.
            masks: (B, 1, 4E, 4E) mask prompt as logits.
            extra_tokens: (B, K, C) prompt tokens of the caller's own, behind those of points: they
                pass the whole transformer and no output is read from them.
            prompts: audio prompts, one entry a site.
            injection: where they go.
            pad_point: without points, add upstream's padding point.
            all_masks: return four masks (single-mask output first) instead of three; the best one
                is chosen among the last three either way.
            single: answer with the single-mask output instead, as upstream does to several clicks.
        """
        if points is None and pad_point:
            points = self._padding_point(features)
        sparse, dense = self._encode_prompts(features, points, masks)
        if extra_tokens is not None:
            shape = {"B": features.shape[0], "C": features.shape[1]}
            check_shape(extra_tokens, "B K C", name="extra tokens", **shape)
            sparse = torch.cat([sparse, extra_tokens.to(sparse.dtype)], dim=1)
        with self._injecting(prompts, injection):
            decoded = self._predict_masks(features, high_res, sparse, dense)
        return self._choose(*decoded, first=0 if all_masks else 1, single=single)

    @property
    def is_frozen(self) -> bool:
        """Whether ``decode_frozen`` and ``clip_memory`` may take the place of the official way."""
        behind = [part for name, part in self.named_children() if name != "image_encoder"]
        return (
            can_decode(self.sam_mask_decoder)
            and can_remember(self)
            and is_untouched(*behind)
            and not any(p is not None and p.requires_grad for p in self._parameters.values())
            and not any(name in vars(self) for name in OBSERVED)
            and all(getattr(type(self), n) is getattr(PromptableSAM2, n) for n in OBSERVED)
        )

    def clip_memory(self, coarse: Tensor, conditioning: int) -> FrozenClipMemory:
        """Memory of clips with the coarsest maps (B, T, C, E, E) and this conditioning frame."""
        return FrozenClipMemory(self, self._memory_constants.of(self), coarse, conditioning)

    def clip_decoder(self) -> FrozenDecoder:
        """The decoder for all frames of a batch of clips."""
        constants = self._decoder_constants.of(self.sam_mask_decoder)
        return FrozenDecoder(self.sam_mask_decoder, constants, self.sam_prompt_encoder)

    def decode_frozen(
        self,
        decoder: FrozenDecoder,
        image: Tensor,
        features: FineFeatures,
        extra_tokens: Tensor | None = None,
        prompts: Sequence[SitePrompts] = (),
        injection: StepwiseInjection | None = None,
    ) -> Decoded:
        """:meth:`decode` of positions (R, N, C) without clicks and masks, three masks each."""
        with self._injecting(prompts, injection):
            logits, ious, tokens, score = decoder(image, features, extra_tokens)
        logits = logits.float()
        rows, chosen = torch.arange(len(logits), device=logits.device), ious.argmax(dim=1)
        pointer = self._pointer(tokens[rows, chosen], score)
        return Decoded(logits, ious, score, logits[rows, chosen][:, None], pointer)

    def _padding_point(self, features: Tensor) -> Points:
        zero = features.new_zeros(len(features), 1, 2)
        return Points(zero, -torch.ones(len(zero), 1, dtype=torch.int32, device=zero.device))

    def _encode_prompts(
        self, features: Tensor, points: Points | None, masks: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        encoder = self.sam_prompt_encoder
        if points is not None or masks is not None:
            return encoder(points=points, boxes=None, masks=masks)
        # The encoder cannot tell the batch size without a prompt, so its two constants are
        # spelled out: no sparse token and the learned "no mask" embedding.
        batch, e = features.shape[0], self.embedding_size
        dense = encoder.no_mask_embed.weight.reshape(1, -1, 1, 1).expand(batch, -1, e, e)
        return features.new_zeros(batch, 0, features.shape[1]), dense

    def _injecting(
        self, prompts: Sequence[SitePrompts], injection: StepwiseInjection | None
    ) -> AbstractContextManager[None]:
        if not prompts or injection is None:
            return nullcontext()
        return self.sam_mask_decoder.transformer.injecting(prompts, injection)

    def _predict_masks(
        self, features: Tensor, high_res: Sequence[Tensor], sparse: Tensor, dense: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits of four masks, their IoUs and tokens, and the object score."""
        return self.sam_mask_decoder.predict_masks(
            image_embeddings=features,
            image_pe=self.sam_prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            repeat_image=False,
            high_res_features=list(high_res),
        )

    def _choose(
        self,
        logits: Tensor,
        ious: Tensor,
        tokens: Tensor,
        score: Tensor,
        first: int,
        single: bool,
    ) -> Decoded:
        """The masks from ``first`` on, and the single one or the best of the last three."""
        logits = logits.float()
        best = ious[:, 1:].argmax(dim=1)
        chosen = torch.zeros_like(best) if single else 1 + best
        rows = torch.arange(len(logits), device=logits.device)
        pointer = self._pointer(tokens[rows, chosen], score)
        best = logits[rows, chosen][:, None]
        return Decoded(logits[:, first:], ious[:, first:], score, best, pointer)

    def _pointer(self, token: Tensor, score: Tensor) -> Tensor:
        pointer = self.obj_ptr_proj(token)
        if not self.pred_obj_scores:
            return pointer
        appearing = (score > 0).to(pointer.dtype)
        if self.fixed_no_obj_ptr:
            pointer = appearing * pointer
        return pointer + (1 - appearing) * self.no_obj_ptr

    def pointer_of_mask(
        self, features: Tensor, high_res: Sequence[Tensor], masks: Tensor
    ) -> Tensor:
        """(B, C) object pointer of a given mask (B, 1, S, S) in {0, 1}, as upstream makes it."""
        out = self._use_mask_as_output(features, list(high_res), masks)
        return out[5]

    def gate(self, logits: Tensor, score: Tensor) -> Tensor:
        """Upstream's rule: where no object is seen every logit becomes -1024."""
        shape = (-1,) + (1,) * (logits.dim() - 1)
        return torch.where(score.reshape(shape) > 0, logits, NO_OBJ_SCORE)

    def upsample(self, logits: Tensor) -> Tensor:
        """(B, M, h, w) -> (B, M, S, S), bilinear."""
        size = (self.image_size, self.image_size)
        return F.interpolate(logits.float(), size=size, mode="bilinear", align_corners=False)
