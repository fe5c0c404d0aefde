"""The inner methods of SAM2's video predictor, with audio prompts beside clicks."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import torch
from sam2.sam2_video_predictor import SAM2VideoPredictor
from torch import Tensor, nn

from auralsam2.models.backbones.sam2.network import Points, PromptableSAM2
from auralsam2.predictor.decoding import answered, decode_heard, scaled
from auralsam2.predictor.trained import Trained, check_model
from auralsam2.structures import Prompts

State = dict[str, Any]

DECODER = {
    "dynamic_multimask_via_stability": True,
    "dynamic_multimask_stability_delta": 0.05,
    "dynamic_multimask_stability_thresh": 0.98,
}
"""Settings that the official builder gives its predictors' decoder; not of the trained model."""
FILL_HOLE_AREA = 8
"""Likewise, where SAM2's compiled extension is there; without it SAM2 fills nothing."""


class Heard:
    """Audio prompts in force while one frame of one object is answered."""

    def __init__(self, prompts: Prompts) -> None:
        self.prompts = prompts
        self.memory: Tensor | None = None  # of the frame, before the official code rounds it


class AudioTracking(SAM2VideoPredictor, PromptableSAM2):
    """The official predictor around a trained model's SAM2, whose frames may have audio prompts.

    Args:
        trained: the model, whose weights and settings are shared and not copied.

    Raises:
        ValueError: where the model is no AuralSAM2.
    """

    def __init__(self, trained: Trained) -> None:
        nn.Module.__init__(self)
        check_model(trained.model)
        # Not a child: names of the state stay SAM2's.
        vars(self)["trained"] = trained._replace(model=trained.model.eval())
        network = trained.model.backbone.network
        vars(self).update(vars(network), _modules=dict(network._modules))
        self.sam_mask_decoder = copy.copy(network.sam_mask_decoder)
        vars(self.sam_mask_decoder).update(DECODER)
        self.fill_hole_area = FILL_HOLE_AREA if find_spec("sam2._C") else 0
        self.non_overlap_masks = False
        self.clear_non_cond_mem_around_input = False
        self.add_all_frames_to_correct_as_cond = False
        self._heard: Heard | None = None
        self._ious: Tensor | None = None

    def _features(self, state: State, frame: int) -> tuple[Tensor, ...]:
        """The decoder's maps of a frame; it is encoded the first time it is asked for."""
        key = ("features", frame)
        if key in state["kept"]:
            return state["kept"].get(key, self.device)
        pixels = self.trained.resizing.resize_frames([state["images"][frame]])
        image = self.trained.model.normalise(torch.from_numpy(pixels).to(self.device))
        pyramid = self.raw_pyramid(image)
        if state["hearing"] is not None:
            state["hearing"].see(frame, pyramid)
        maps = tuple(self.decoder_features(pyramid))
        state["kept"].put(key, maps)
        return maps

    def _get_image_feature(
        self, inference_state: State, frame_idx: int, batch_size: int
    ) -> tuple[Any, ...]:
        """As the official one, from features that are computed once."""
        cached = inference_state["cached_features"]
        if frame_idx not in cached:
            maps = list(self._features(inference_state, frame_idx))
            code = self.image_encoder.neck.position_encoding
            features = {"backbone_fpn": maps, "vision_pos_enc": [code(m) for m in maps]}
            # In the image's place stands nothing: nobody looks at it behind the encoder.
            inference_state["cached_features"] = {frame_idx: (maps[-1][:, :0], features)}
        return super()._get_image_feature(inference_state, frame_idx, batch_size)

    def _run_single_frame_inference(
        self, inference_state: State, output_dict: Mapping[str, Any], frame_idx: int, **given: Any
    ) -> tuple[dict[str, Any], Tensor]:
        state, obj_id = inference_state, _object_of(inference_state, output_dict)
        # A mask is taken as it is, whatever is heard.
        heard = self._heard_in(state, obj_id, frame_idx) if given["mask_inputs"] is None else None
        if heard is not None and not self.trained.model.tracker.use_memory:
            given["is_init_cond_frame"] = True
        with self._hearing(heard):
            out, masks = super()._run_single_frame_inference(
                inference_state=state, output_dict=output_dict, frame_idx=frame_idx, **given
            )
        if heard is not None and heard.memory is not None:
            out["maskmem_features"] = heard.memory.to(state["storage_device"])
        scores = (self._ious, out["object_score_logits"].flatten()[0])
        state["scores"].setdefault(frame_idx, {})[obj_id] = scores
        return out, masks

    def _heard_in(self, state: State, obj_id: int, frame: int) -> Heard | None:
        weights = state["audio_weights"].get(obj_id)
        weight = weights.at(frame) if weights is not None else 0.0
        if not weight:
            return None
        return Heard(scaled(state["hearing"].prompts(frame, self.device), weight))

    @contextmanager
    def _hearing(self, heard: Heard | None) -> Iterator[None]:
        area = self.fill_hole_area
        self._heard, self.fill_hole_area = heard, 0 if heard is not None else area
        try:
            yield
        finally:
            self._heard, self.fill_hole_area = None, area

    def _forward_sam_heads(
        self,
        backbone_features: Tensor,
        point_inputs: Mapping[str, Tensor] | None = None,
        mask_inputs: Tensor | None = None,
        high_res_features: Sequence[Tensor] | None = None,
        multimask_output: bool = False,
    ) -> tuple[Tensor, ...]:
        """As the official one, or with the audio prompts in force as the tracker decodes."""
        if self._heard is None:
            given = (point_inputs, mask_inputs, high_res_features, multimask_output)
            answer = super()._forward_sam_heads(backbone_features, *given)
            self._ious = answer[2].amax()
            return answer
        model, keys = self.trained.model, ("point_coords", "point_labels")
        points = None if point_inputs is None else Points(*(point_inputs[key] for key in keys))
        assert high_res_features is not None
        maps = (backbone_features, high_res_features)
        out = decode_heard(self, model, self._heard.prompts, *maps, points, mask_inputs)
        self._ious = out.ious.amax()
        gated = model.tracker.gate_memory
        kept = self.gate(out.best, out.object_score_logits) if gated else out.best
        return (
            out.mask_logits,
            self.upsample(out.mask_logits),
            out.ious,
            answered(model, out),
            self.upsample(kept),
            out.pointer,
            out.object_score_logits,
        )

    def _encode_new_memory(self, **given: Any) -> tuple[Tensor, list[Tensor]]:
        """As the official one; where sound is in force, masks enter as its tracker lets them."""
        if self._heard is not None:
            given["is_mask_from_pts"] = True
        memory, position = super()._encode_new_memory(**given)
        if self._heard is not None:
            self._heard.memory = memory
        return memory, position


def _object_of(state: State, outputs: Mapping[str, Any]) -> int:
    """Whose outputs these are."""
    index = next(i for i, own in state["output_dict_per_obj"].items() if own is outputs)
    return state["obj_idx_to_id"][index]
