"""SAM2's video predictor that also hears."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from auralsam2.data.frame_source import FrameSource, Picture, open_frames
from auralsam2.data.video import NoSoundError
from auralsam2.predictor.hearing import Hearing, Windows, check_text
from auralsam2.predictor.kept import KeptTensors
from auralsam2.predictor.outputs import RecentOutputs
from auralsam2.predictor.sound import Samples, Sound
from auralsam2.predictor.state import AudioWeights, State, check_frame, check_weight, new_state
from auralsam2.predictor.tracking import AudioTracking
from auralsam2.predictor.trained import OfTrained

Video = str | os.PathLike[str] | Sequence[Picture]
Audio = str | os.PathLike[str] | tuple[Samples, int] | bool | None


class AuralSAM2VideoPredictor(OfTrained, AudioTracking):
    """The official video predictor around a trained model's SAM2, with sound beside clicks.

    Where no sound is in force, the official code answers. Where it is, a frame is answered as the
    model was trained: prompts of the fuser in the decoder, the best of three masks, and memory as
    its tracker keeps it.

    A predictor answers one call at a time: threads that share one must take turns.

    Args:
        trained: the model, whose weights and settings are shared and not copied.

    Raises:
        ValueError: where the model is no AuralSAM2.
    """

    @torch.inference_mode()
    def init_state(
        self,
        video: Video,
        audio: Audio = None,
        fps: float | None = None,
        text: str | None = None,
        memory_mb: float = 512,
    ) -> State:
        """Open a video; a frame is read and encoded when it is asked for the first time.

        Args:
            video: a file, a folder of pictures named by number, or (H, W, 3) uint8 arrays.
            audio: a path, or samples (L,) or (L, channels) and their rate; ``None`` is the
                video's own track, ``False`` none.
            fps: frames a second; ``None`` is the video's own rate, and 1 of pictures.
            text: the expression, for a model that reads one.
            memory_mb: main memory for features; what is more lies in a temporary file.

        Returns:
            The official state, also with ``fps``, ``times`` (seconds of every frame) and
            ``has_audio``.

        Raises:
            FileNotFoundError: where there is no such file.
            ValueError: where video or sound cannot be read, or a text is missing or too many.
        """
        frames, kept = open_frames(video, fps), KeptTensors(memory_mb)
        sound, hearing = self._sound(frames, audio), None
        if sound is not None:
            check_text(self.trained.model, text)
            windows = Windows(frames.times, self.trained.num_frames)
            hearing = Hearing(self.trained.model, sound, windows, text, kept)
        return new_state(frames, fps, kept, hearing, self.device)

    def add_audio(self, inference_state: State, obj_id: int, weight: float = 1.0) -> None:
        """Let the sound prompt an object in every frame; it needs no click.

        Args:
            inference_state: of the video; without sound in it, a notice is all that comes of it.
            obj_id: a new object, or one that has clicks.
            weight: factor of its audio prompts, see :meth:`set_audio_weight`.

        Raises:
            ValueError: on a weight below 0.
        """
        weight = check_weight(weight)
        if not inference_state["has_audio"]:
            warnings.warn(f"there is no sound that object {obj_id} could hear", stacklevel=2)
            return
        self._obj_id_to_idx(inference_state, obj_id)
        inference_state["audio_weights"].setdefault(obj_id, AudioWeights(0.0))
        self.set_audio_weight(inference_state, weight, obj_id)

    def set_audio_weight(
        self,
        inference_state: State,
        weight: float,
        obj_id: int | None = None,
        frames: Iterable[int] | None = None,
    ) -> None:
        """Scale the audio prompts, sparse and dense; 0 is off, and the frame then plain SAM2's.

        Masks change with the next propagation, which encodes nothing anew.

        Args:
            inference_state: of the video.
            weight: of at least 0.
            obj_id: one object; ``None`` is all that have sound.
            frames: indices; ``None`` is all frames.

        Raises:
            ValueError: on a weight below 0, an object without sound, or a frame that is not there.
        """
        state, weight = inference_state, check_weight(weight)
        weights: dict[int, AudioWeights] = state["audio_weights"]
        if obj_id is not None and obj_id not in weights:
            known = ", ".join(map(str, weights)) or "none"
            raise ValueError(f"object {obj_id} has no sound (those that do: {known}): add_audio")
        chosen = None if frames is None else [check_frame(state, frame) for frame in frames]
        for one in weights if obj_id is None else [obj_id]:
            clicked = state["point_inputs_per_obj"][state["obj_id_to_idx"][one]]
            before = {frame: weights[one].at(frame) for frame in clicked}
            weights[one].set(weight, chosen)
            state["stale"] |= {(one, f) for f, w in before.items() if weights[one].at(f) != w}
            self._forget_beginning(state, one)

    def add_new_points_or_box(
        self, inference_state: State, frame_idx: int, obj_id: int, *args: Any, **kwargs: Any
    ) -> tuple[int, list[int], Tensor]:
        """As the official one; where the object has sound, both prompt this frame.

        Later corrections of an object with sound are conditioning frames, as first clicks are.
        """
        with self._corrected(inference_state, frame_idx, obj_id):
            return super().add_new_points_or_box(
                inference_state, frame_idx, obj_id, *args, **kwargs
            )

    def add_new_mask(
        self, inference_state: State, frame_idx: int, obj_id: int, mask: Any
    ) -> tuple[int, list[int], Tensor]:
        """As the official one: the mask is taken as it is, whatever is heard in this frame."""
        with self._corrected(inference_state, frame_idx, obj_id):
            return super().add_new_mask(inference_state, frame_idx, obj_id, mask)

    @torch.inference_mode()
    def propagate_in_video_preflight(self, inference_state: State) -> None:
        """As the official one; an object with sound and no prompt begins where it is heard."""
        self._answer_stale(inference_state)
        for obj_id in inference_state["audio_weights"]:
            self._begin(inference_state, obj_id)
        super().propagate_in_video_preflight(inference_state)

    @torch.inference_mode()
    def propagate_in_video(
        self,
        inference_state: State,
        start_frame_idx: int | None = None,
        max_frame_num_to_track: int | None = None,
        reverse: bool = False,
    ) -> Iterator[tuple[int, list[int], Tensor]]:
        """As the official one, by default from the first frame that is heard or prompted.

        Yields:
            Index of a frame, ids of the objects, and (O, 1, H, W) logits at the video's size.

        Raises:
            ValueError: where ``start_frame_idx`` is no frame of the video.
            RuntimeError: where nothing prompts an object, as officially.
        """
        if start_frame_idx is not None:
            check_frame(inference_state, start_frame_idx)
        if start_frame_idx is None and inference_state["audio_weights"]:
            self.propagate_in_video_preflight(inference_state)
            start_frame_idx = self._start(inference_state)
        yield from super().propagate_in_video(
            inference_state, start_frame_idx, max_frame_num_to_track, reverse
        )

    def remove_object(
        self, inference_state: State, obj_id: int, strict: bool = False, need_output: bool = True
    ) -> tuple[list[int], list[tuple[int, Tensor]]]:
        """As the official one; what was heard for the object is forgotten too."""
        state = inference_state
        index = state["obj_id_to_idx"].get(obj_id)
        outputs = None if index is None else state["output_dict_per_obj"][index]
        answer: tuple[Any, Any] = super().remove_object(state, obj_id, strict, need_output)
        if outputs is not None:
            outputs["non_cond_frame_outputs"].clear()
            state["audio_weights"].pop(obj_id, None)
            state["stale"] = {(one, frame) for one, frame in state["stale"] if one != obj_id}
            for of_frame in state["scores"].values():
                of_frame.pop(obj_id, None)
        return answer

    def reset_state(self, inference_state: State) -> None:
        """Forget all objects, their prompts and their sound; features and audio prompts stay."""
        super().reset_state(inference_state)
        for name in ("audio_weights", "scores", "stale"):
            inference_state[name].clear()

    def scores(self, inference_state: State, frame_idx: int) -> dict[int, tuple[float, float]]:
        """Predicted IoU in [0, 1] and object score logit of every object answered in a frame."""
        of_frame = inference_state["scores"].get(frame_idx, {})
        return {one: (min(max(float(i), 0.0), 1.0), float(s)) for one, (i, s) in of_frame.items()}

    def forget(self, inference_state: State, frame_idx: int) -> None:
        """Drop a frame's features and audio prompts; asked for again, they are computed anew.

        Whoever goes through a long video once needs no disk for what lies behind.
        """
        for kind in ("features", "prompts"):
            inference_state["kept"].drop((kind, frame_idx))

    def close(self, inference_state: State) -> None:
        """Give open and temporary files back; the state is of no use from then on."""
        inference_state["images"].close()
        inference_state["kept"].close()

    def _sound(self, frames: FrameSource, audio: Audio) -> Sound | None:
        if audio is False:
            return None
        source = frames.path if audio is None else audio
        if source is not None and not self.trained.model.listens:
            warnings.warn("the model hears nothing: both its prompts are off", stacklevel=4)
            return None
        try:
            return None if source is None else Sound(source, self.trained.listening)
        except NoSoundError as error:
            if audio is not None:
                raise
            warnings.warn(f"{error}: plain SAM2, without sound", stacklevel=4)
            return None

    def _obj_id_to_idx(self, inference_state: State, obj_id: int) -> int:
        """As the official one; old outputs of a new object do not stay on the device."""
        state, index = inference_state, super()._obj_id_to_idx(inference_state, obj_id)
        outputs = state["output_dict_per_obj"][index]
        if not isinstance(outputs["non_cond_frame_outputs"], RecentOutputs):
            stride = self.num_maskmem * self.memory_temporal_stride_for_eval
            recent = max(stride, self.max_obj_ptrs_in_encoder) + 1
            outputs["non_cond_frame_outputs"] = RecentOutputs(
                state["kept"], obj_id, recent, state["storage_device"]
            )
        return index
