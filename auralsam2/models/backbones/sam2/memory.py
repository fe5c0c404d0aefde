"""SAM2's memory over a clip: conditioning features, storing what was decoded.

The arithmetic is upstream's (``_prepare_memory_conditioned_features``, ``_encode_new_memory``);
here it is only given a shape that a training loop can call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from auralsam2.models.backbones.promptable import Decoded

if TYPE_CHECKING:
    from auralsam2.models.backbones.sam2.network import PromptableSAM2


class ClipMemory:
    """Memory bank of B clips of T frames each, processed frame by frame."""

    def __init__(self, network: PromptableSAM2, num_frames: int) -> None:
        self.network = network
        self.num_frames = num_frames
        self._bank: dict[str, dict[int, Any]] = {
            "cond_frame_outputs": {},
            "non_cond_frame_outputs": {},
        }

    def condition(
        self, frame: int, features: Tensor, is_conditioning: bool, backwards: bool = False
    ) -> Tensor:
        """(B, C, E, E) coarsest map of a frame -> the same, conditioned on the memories.

        A conditioning frame gets the learned *no memory* embedding instead; ``backwards`` reads
        the memories of later frames where it is otherwise those of earlier ones.
        """
        batch, _, height, width = features.shape
        return self.network._prepare_memory_conditioned_features(
            frame_idx=frame,
            is_init_cond_frame=is_conditioning,
            current_vision_feats=[features.flatten(2).permute(2, 0, 1)],
            current_vision_pos_embeds=self.network.position_maps(batch),
            feat_sizes=[(height, width)],
            output_dict=self._bank,
            num_frames=self.num_frames,
            track_in_reverse=backwards,
        )

    def store(
        self,
        frame: int,
        features: Tensor,
        out: Decoded,
        *,
        is_conditioning: bool,
        from_prompts: bool = True,
    ) -> None:
        """Encode a frame's best mask and keep it with its object pointer.

        Args:
            frame: its index.
            features: (B, C, E, E), its *unconditioned* coarsest map.
            out: its answer, of which the best mask is enlarged.
            is_conditioning: later frames see it in the conditioning slot.
            from_prompts: the mask came from prompts; then it is binarised in eval mode.
        """
        height, width = features.shape[-2:]
        memory, position = self.network._encode_new_memory(
            current_vision_feats=[features.flatten(2).permute(2, 0, 1)],
            feat_sizes=[(height, width)],
            pred_masks_high_res=self.network.upsample(out.best),
            object_score_logits=out.object_score_logits,
            is_mask_from_pts=from_prompts,
        )
        slot = "cond_frame_outputs" if is_conditioning else "non_cond_frame_outputs"
        for outputs in self._bank.values():  # what was remembered of the frame before
            outputs.pop(frame, None)
        self._bank[slot][frame] = {
            "maskmem_features": memory,
            "maskmem_pos_enc": position,
            "obj_ptr": out.pointer,
        }
