"""SAM2 as the official classes build it, with prompts that can be injected into its decoder.

Same parameters and keys as upstream's ``SAM2Base``: only the two-way transformer is exchanged for
its injectable subclass, and frames can be decoded without the padding point that upstream adds
where no click is given (AuralSAM2's decoder sees exactly its six output tokens).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from sam2.modeling.sam2_base import SAM2Base
from torch import Tensor, nn

from auralsam2.models.backbones.promptable import Points, Promptable
from auralsam2.models.backbones.sam2.injection import InjectableTwoWayTransformer


class PromptableSAM2(Promptable, SAM2Base):
    """Official SAM2 whose mask decoder accepts audio prompts."""

    def _build_sam_heads(self) -> None:
        super()._build_sam_heads()
        official = self.sam_mask_decoder.transformer
        self.sam_mask_decoder.transformer = InjectableTwoWayTransformer(
            depth=official.depth,
            embedding_dim=official.embedding_dim,
            num_heads=official.num_heads,
            mlp_dim=official.mlp_dim,
        )

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """By name what a method may train."""
        return dict(self.named_children())

    @property
    def two_way(self) -> InjectableTwoWayTransformer:
        """The decoder's transformer."""
        transformer: InjectableTwoWayTransformer = self.sam_mask_decoder.transformer
        return transformer

    @property
    def trunk(self) -> nn.Module:
        """The Hiera of the image encoder."""
        hiera: nn.Module = self.image_encoder.trunk
        return hiera

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

    def _embed_prompts(
        self, points: Points | None, masks: Tensor | None
    ) -> tuple[Tensor | None, Tensor]:
        encoded: tuple[Tensor, Tensor] = self.sam_prompt_encoder(
            points=points, boxes=None, masks=masks
        )
        return encoded

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

    def stable_mask(self, logits: Tensor, ious: Tensor) -> Tensor:
        """(B, 1, 4E, 4E): of four masks the single one, or the best where that is not stable."""
        masks, _ = self.sam_mask_decoder._dynamic_multimask_via_stability(logits, ious)
        return masks

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
