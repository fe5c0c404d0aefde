"""SAM2 and its family in transformers, with their memory of earlier frames.

What transformers computes for one clip alone, or rounds to 16 bits on the way, is put together here
from its own parts, for B clips and in the precision of the weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from auralsam2.models.backbones.hooked.network import HookedNetwork

OUT_SCALE, OUT_BIAS = 20.0, -10.0
"""Upstream's logits of a given mask: 10 inside, -10 outside."""
POINTER = "object_pointer"
"""What transformers calls a frame's ``obj_ptr``."""


class HookedVideo(HookedNetwork):
    """A ``Sam2VideoModel``, ``Sam3TrackerVideoModel`` or another of their family."""

    @property
    def no_mem_embed(self) -> Tensor:
        """(1, 1, C) added to the coarsest map of a frame without memory."""
        embedding: Tensor = self.model.no_memory_embedding
        return embedding

    @property
    def multimask_max_pt_num(self) -> int:  # type: ignore[override]
        """Clicks on a frame up to which the best of three masks answers."""
        return int(self.model.config.multimask_max_pt_num)

    def stable_mask(self, logits: Tensor, ious: Tensor) -> Tensor:
        """(B, 1, 4E, 4E): of four masks the single one, or the best where that is not stable."""
        choose = self.model.mask_decoder._dynamic_multimask_via_stability
        masks, _ = choose(logits[:, None], ious[:, None])
        return masks[:, 0]

    def raw_pyramid(self, frames: Tensor) -> list[Tensor]:
        """(F, C, 4E, 4E), (F, C, 2E, 2E), (F, C, E, E) of normalised (F, 3, S, S) frames."""
        # SAM 3 has a coarser map yet, which its tracker does not read.
        return list(self.model.vision_encoder(frames).fpn_hidden_states[: self.num_levels])

    def decoder_features(self, pyramid: Sequence[Tensor]) -> list[Tensor]:
        """The maps as decoder and memory want them: the two finer ones reduced to C/8 and C/4."""
        decoder = self.model.mask_decoder
        return [decoder.conv_s0(pyramid[0]), decoder.conv_s1(pyramid[1]), pyramid[2]]

    def position_maps(self, batch: int) -> list[Tensor]:
        """Sine codes of the coarsest map, (N, B, C), as the memory attention wants them."""
        e, like = self.embedding_size, self.no_mem_embed
        encode = self.model.vision_encoder.neck.position_encoding
        code = encode(torch.Size((1, self.hidden_dim, e, e)), like.device, like.dtype)
        return [code.flatten(2).permute(2, 0, 1).expand(-1, batch, -1)]

    def _finer(self, high_res: Sequence[Tensor]) -> dict[str, Any]:
        return {"high_resolution_features": list(high_res)}

    def _score(self, outputs: Sequence[Tensor]) -> Tensor:
        return outputs[3][:, 0]

    def _pointer(self, token: Tensor, score: Tensor) -> Tensor:
        return self._seen_or_not(self.model.object_pointer_proj(token), score > 0)

    def _seen_or_not(self, pointer: Tensor, appearing: Tensor) -> Tensor:
        seen = appearing.to(pointer.dtype)
        return seen * pointer + (1 - seen) * self.model.no_object_pointer

    def _prepare_memory_conditioned_features(
        self,
        frame_idx: int,
        is_init_cond_frame: bool,
        current_vision_feats: Sequence[Tensor],
        current_vision_pos_embeds: Sequence[Tensor],
        feat_sizes: Sequence[tuple[int, int]],
        output_dict: Mapping[str, Mapping[int, Mapping[str, Any]]],
        num_frames: int,
        track_in_reverse: bool = False,
    ) -> Tensor:
        """As the official method of this name: (N, B, C) -> (B, C, E, E)."""
        current, code = current_vision_feats[-1], current_vision_pos_embeds[-1]
        if is_init_cond_frame:
            found = (current + self.no_mem_embed).transpose(0, 1)
        else:
            bank = {
                slot: {t: {**kept, POINTER: kept["obj_ptr"]} for t, kept in frames.items()}
                for slot, frames in output_dict.items()
            }
            found = self._attend(current, code, bank, frame_idx, num_frames, track_in_reverse)
        return found.transpose(1, 2).unflatten(2, feat_sizes[-1])

    def _attend(
        self, current: Tensor, code: Tensor, bank: Any, frame: int, num_frames: int, reverse: bool
    ) -> Tensor:
        """(B, N, C) features of a frame that has seen the memories of a bank."""
        model, device, batch = self.model, current.device, current.shape[1]
        session = SimpleNamespace(output_dict_per_obj=[bank])
        frames = model._gather_memory_frame_outputs(session, 0, frame, reverse)
        memories, codes = model._build_memory_attention_inputs(frames, device)
        more, num_pointers = self._attention_arguments(len(memories)), 0
        offsets, tokens, most = model._get_object_pointers(
            session, 0, frame, num_frames, device, reverse
        )
        if tokens:
            pointers, of_pointers = model._process_object_pointers(
                offsets, tokens, most, batch, current.shape[2], device
            )
            memories, codes = [*memories, pointers], [*codes, of_pointers]
            num_pointers = len(pointers)
        attended = model.memory_attention(
            current_vision_features=current,
            current_vision_position_embeddings=code,
            memory=torch.cat(memories),
            memory_posision_embeddings=torch.cat(codes),
            num_object_pointer_tokens=num_pointers,
            **more,
        )
        return attended[0]

    def _attention_arguments(self, num_memories: int) -> dict[str, int]:
        """Further arguments of the memory attention, which reads the memories of some frames."""
        return {}

    def _encode_new_memory(
        self,
        current_vision_feats: Sequence[Tensor],
        feat_sizes: Sequence[tuple[int, int]],
        pred_masks_high_res: Tensor,
        object_score_logits: Tensor,
        is_mask_from_pts: bool,
    ) -> tuple[Tensor, Tensor]:
        """As the official method of this name: memory and positional code, as they are kept."""
        model, config = self.model, self.model.config
        masks = _resized(pred_masks_high_res, 4 * model.prompt_encoder.mask_input_size[0])
        binary = is_mask_from_pts and not self.training
        shown = (masks > 0).to(masks.dtype) if binary else masks.sigmoid()
        shown = shown * config.sigmoid_scale_for_mem_enc + config.sigmoid_bias_for_mem_enc
        image = current_vision_feats[-1].permute(1, 2, 0).unflatten(2, feat_sizes[-1])
        memory, code = model.memory_encoder(image, shown)
        unseen = model.occlusion_spatial_embedding_parameter
        if unseen is not None:
            absent = (object_score_logits <= 0).to(memory.dtype)
            memory = memory + absent[..., None, None] * unseen[..., None, None]
        return self._kept(memory, code.to(memory.dtype))

    def _kept(self, memory: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        return memory.flatten(2).permute(2, 0, 1), code.flatten(2).permute(2, 0, 1)

    def _use_mask_as_output(
        self, features: Tensor, high_res: Sequence[Tensor], masks: Tensor
    ) -> tuple[Tensor, ...]:
        """As the official method of this name, of masks (B, 1, S, S) in {0, 1}."""
        whole = masks.float() * OUT_SCALE + OUT_BIAS
        side = self.model.prompt_encoder.mask_input_size[0]
        low = _resized(whole, side)
        prompt = _resized(self.model.mask_downsample(masks.to(features.dtype)), side)
        sparse, dense = self._encode_prompts(features, self._padding_point(features), prompt)
        _, _, tokens, score = self._predict_masks(features, high_res, sparse, dense)
        appearing = masks.flatten(1).any(dim=1, keepdim=True)
        pointer = self._seen_or_not(self._pointer(tokens[:, 0], score), appearing)
        ious = torch.ones_like(low[:, :, 0, 0])
        return low, whole, ious, low, whole, pointer, appearing.float() * OUT_SCALE + OUT_BIAS


class HookedEdgeTAM(HookedVideo):
    """An ``EdgeTamVideoModel``, whose memories are resampled to few tokens."""

    def _attention_arguments(self, num_memories: int) -> dict[str, int]:
        return {"num_spatial_memory_tokens": num_memories}

    def _kept(self, memory: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        # The perceiver cannot give its latents to more than one clip at a time.
        rows = [
            self.model.spatial_perceiver(memory[i : i + 1], code[i : i + 1])
            for i in range(len(memory))
        ]
        memories, codes = zip(*rows, strict=True)
        return torch.cat(memories), torch.cat(codes)


def _resized(masks: Tensor, side: int) -> Tensor:
    if masks.shape[-1] == side:
        return masks
    size = (side, side)
    return F.interpolate(
        masks.float(), size=size, mode="bilinear", align_corners=False, antialias=True
    ).to(masks.dtype)
