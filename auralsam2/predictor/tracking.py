"""The inner methods of SAM2's video predictor, with audio prompts beside clicks."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from typing import Any

import torch
from sam2.sam2_video_predictor import SAM2VideoPredictor
from torch import Tensor, nn

from auralsam2.models.backbones.promptable import Points
from auralsam2.models.backbones.sam2.network import PromptableSAM2
from auralsam2.models.interaction import WEIGHT_BESIDE_CLICKS
from auralsam2.models.tracking import decode_frames
from auralsam2.predictor.state import (
    AudioWeights,
    State,
    check_frame,
    latest_output,
    object_of,
    outputs_of,
)
from auralsam2.predictor.trained import Trained, check_model
from auralsam2.structures import Prediction, Prompts

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

    Weights and settings of the model are shared and not copied.

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
        return self._encode(state, frame)

    def _encode(self, state: State, frame: int) -> tuple[Tensor, ...]:
        """Encode a frame, and keep what is wanted of it."""
        pixels = self.trained.resizing.resize_frames([state["images"][frame]])
        image = self.trained.model.normalise(torch.from_numpy(pixels).to(self.device))
        pyramid = self.raw_pyramid(image)
        if state["hearing"] is not None:
            state["hearing"].see(frame, pyramid)
        maps = tuple(self.decoder_features(pyramid))
        state["kept"].put(("features", frame), maps)
        return maps

    def _get_image_feature(
        self, inference_state: State, frame_idx: int, batch_size: int
    ) -> tuple[Any, ...]:
        """As the official one, from features that are computed once."""
        cached = inference_state["cached_features"]
        if frame_idx not in cached:
            maps = list(self._features(inference_state, frame_idx))
            code = self.image_encoder.neck.position_encoding
            features = {"backbone_fpn": maps, "vision_pos_enc": [code(m).to(m.dtype) for m in maps]}
            # In the image's place stands nothing: nobody looks at it behind the encoder.
            inference_state["cached_features"] = {frame_idx: (maps[-1][:, :0], features)}
        return super()._get_image_feature(inference_state, frame_idx, batch_size)

    def _run_single_frame_inference(
        self, inference_state: State, output_dict: Mapping[str, Any], frame_idx: int, **given: Any
    ) -> tuple[dict[str, Any], Tensor]:
        state, obj_id = inference_state, object_of(inference_state, output_dict)
        # A mask is taken as it is, whatever is heard.
        heard = self._heard_in(state, obj_id, frame_idx) if given["mask_inputs"] is None else None
        if heard is not None and not self.trained.model.tracker.use_memory:
            given["is_init_cond_frame"] = True
        if afresh := heard is not None and given["point_inputs"] is not None:
            given["is_init_cond_frame"] = True
            if not latest_output(state, obj_id, frame_idx).get("afresh"):
                given["prev_sam_mask_logits"] = None  # what sound has proposed
        with self._hearing(heard):
            out, masks = super()._run_single_frame_inference(
                inference_state=state, output_dict=output_dict, frame_idx=frame_idx, **given
            )
        if out["maskmem_features"] is not None:
            memory = out["maskmem_features"] if heard is None else heard.memory
            out["maskmem_features"] = self._in_full(memory).to(state["storage_device"])
        out["begins"], out["afresh"] = given["is_init_cond_frame"], afresh
        scores = (self._ious, out["object_score_logits"].flatten()[0])
        state["scores"].setdefault(frame_idx, {})[obj_id] = scores
        return out, masks

    def track_step(self, *, num_frames: int, **given: Any) -> dict[str, Any]:
        """As the official one, which divides by the number of frames less one."""
        found: dict[str, Any] = super().track_step(num_frames=max(num_frames, 2), **given)
        return found

    @contextmanager
    def _corrected(self, state: State, frame: int, obj_id: int) -> Iterator[None]:
        """Let a prompt of a frame that was tracked condition all others where sound is in force."""
        check_frame(state, frame)
        usual = self.add_all_frames_to_correct_as_cond
        if self._first_heard(state, obj_id) is not None:
            self._begin(state, obj_id, unless_new=frame)
            self.add_all_frames_to_correct_as_cond = True
        try:
            yield
        finally:
            self.add_all_frames_to_correct_as_cond = usual

    def _first_heard(self, state: State, obj_id: int) -> int | None:
        """The first frame in which an object's sound is in force; ``None`` where there is none."""
        weights: AudioWeights | None = state["audio_weights"].get(obj_id)
        return None if weights is None else weights.first_sounding(state["num_frames"])

    def _start(self, state: State) -> int | None:
        """The first frame in which any object is heard or prompted."""
        heard = [self._first_heard(state, obj_id) for obj_id in state["audio_weights"]]
        outputs = state["output_dict_per_obj"].values()
        prompted = [frame for of_object in outputs for frame in of_object["cond_frame_outputs"]]
        return min((f for f in (*heard, *prompted) if f is not None), default=None)

    @torch.inference_mode()
    def _begin(self, state: State, obj_id: int, unless_new: int | None = None) -> None:
        """Answer the frame without memory in which an object that nobody has prompted begins.

        It is the conditioning frame of the first window that is heard, as the tracker has it.
        Nothing is done where the frame ``unless_new`` was not tracked yet: it is about to be
        prompted, and the object begins there.
        """
        index, first = state["obj_id_to_idx"][obj_id], self._first_heard(state, obj_id)
        new, outputs = outputs_of(state, index)
        begun = outputs["cond_frame_outputs"] or new["cond_frame_outputs"]
        is_new = unless_new is not None and unless_new not in state["frames_tracked_per_obj"][index]
        if first is None or begun or is_new:
            return
        windows = state["hearing"].windows
        window = [frame for frame in windows.frames(windows.of(first)) if frame >= first]
        chosen = window[self.trained.model.tracker.conditioning_frame(len(window))]
        frame = chosen if state["audio_weights"][obj_id].at(chosen) else first
        outputs["cond_frame_outputs"][frame] = self._again(state, index, frame, None, True)

    def _again(
        self, state: State, index: int, frame: int, points: Any, begins: bool
    ) -> dict[str, Any]:
        """The output of a frame for its points, or for what is heard alone."""
        out, _ = self._run_single_frame_inference(
            inference_state=state,
            output_dict=state["output_dict_per_obj"][index],
            frame_idx=frame,
            batch_size=1,
            is_init_cond_frame=begins,
            point_inputs=points,
            mask_inputs=None,
            reverse=False,
            run_mem_encoder=points is None,
        )
        return out

    def _answer_stale(self, state: State) -> None:
        """Answer clicks anew that were answered under another audio weight."""
        for obj_id, frame in sorted(state["stale"], key=repr):  # ids may be of any kind
            index = state["obj_id_to_idx"][obj_id]
            points = state["point_inputs_per_obj"][index].get(frame)
            new, old = outputs_of(state, index)
            for outputs, slot in ((d, slot) for d in (new, old) for slot in d):
                if points is not None and frame in outputs[slot]:
                    begins = outputs[slot][frame]["begins"]
                    new[slot][frame] = self._again(state, index, frame, points, begins)
                    break
        state["stale"].clear()

    def _forget_beginning(self, state: State, obj_id: int) -> None:
        """Drop the conditioning frame that sound alone has made, as its weight has changed."""
        index = state["obj_id_to_idx"][obj_id]
        outputs = state["output_dict_per_obj"][index]
        prompted = {*state["point_inputs_per_obj"][index], *state["mask_inputs_per_obj"][index]}
        for frame in [f for f in outputs["cond_frame_outputs"] if f not in prompted]:
            del outputs["cond_frame_outputs"][frame]
        if not prompted and self._first_heard(state, obj_id) is None:
            # Nothing prompts it any more: what comes next is its first prompt.
            outputs["non_cond_frame_outputs"].clear()
            state["frames_tracked_per_obj"][index].clear()

    def _run_memory_encoder(self, *args: Any, **kwargs: Any) -> tuple[Tensor, list[Tensor]]:
        memory, position = super()._run_memory_encoder(*args, **kwargs)
        return self._in_full(memory), position

    def _in_full(self, memory: Tensor) -> Tensor:
        """A memory in the type of the network, as the official code, which rounds it, reads it.

        That cannot read rounded ones without autocast where no object pointer stands beside them,
        as before the first click.
        """
        autocast = torch.is_autocast_enabled(memory.device.type)
        return memory if autocast else memory.to(self.no_mem_embed.dtype)

    def _heard_in(self, state: State, obj_id: int, frame: int) -> Heard | None:
        weights = state["audio_weights"].get(obj_id)
        weight = weights.at(frame) if weights is not None else 0.0
        if not weight:
            return None
        if frame in state["point_inputs_per_obj"][state["obj_id_to_idx"][obj_id]]:
            weight *= WEIGHT_BESIDE_CLICKS
        encode = partial(self._encode, state)
        return Heard(state["hearing"].prompts(frame, encode, self.device).scaled(weight))

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
        high_res_features: Sequence[Tensor] = (),
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
        prompted = (self._heard.prompts, model.injection, points, mask_inputs)
        out = decode_frames(self, backbone_features, high_res_features, *prompted)
        self._ious = out.ious.amax()
        kept = self.gated(out).best if model.tracker.gate_memory else out.best
        return (
            out.mask_logits,
            self.upsample(out.mask_logits),
            out.ious,
            # By the run's evaluation.decode.
            model.decode(Prediction(*(part[:, None] for part in out[:3]), out.best)),
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
