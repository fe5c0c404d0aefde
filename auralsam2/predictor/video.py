"""SAM2's video predictor that also hears."""

from __future__ import annotations

import os
import warnings
from collections import OrderedDict
from collections.abc import Iterable, Sequence

import torch

from auralsam2.data.frame_source import FrameSource, Picture, open_frames
from auralsam2.predictor.hearing import Hearing, Windows
from auralsam2.predictor.kept import KeptTensors
from auralsam2.predictor.sound import Samples, Sound
from auralsam2.predictor.tracking import AudioTracking, State
from auralsam2.predictor.trained import DEFAULT, of_checkpoint, of_run
from auralsam2.predictor.weights import AudioWeights, check_weight

Video = str | os.PathLike[str] | Sequence[Picture]
Audio = str | os.PathLike[str] | tuple[Samples, int] | bool | None


class AuralSAM2VideoPredictor(AudioTracking):
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

    @classmethod
    def from_run(
        cls, run: str | os.PathLike[str], device: str | None = None
    ) -> AuralSAM2VideoPredictor:
        """Of a run folder, with its best weights; see :func:`of_run` for what is raised."""
        return cls(of_run(run, device))

    @classmethod
    def from_checkpoint(
        cls,
        checkpoint: str | os.PathLike[str] = DEFAULT,
        config: str | os.PathLike[str] | None = None,
        overrides: Iterable[str] = (),
        device: str | None = None,
    ) -> AuralSAM2VideoPredictor:
        """Of a weight file under a config; see :func:`of_checkpoint`."""
        return cls(of_checkpoint(checkpoint, config, overrides, device))

    @torch.inference_mode()
    def init_state(
        self,
        video: Video,
        audio: Audio = None,
        fps: float | None = None,
        text: str | None = None,
        memory_mb: float = 512,
    ) -> State:
        """Open a video; nothing is encoded before it is asked for.

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
            ValueError: where video or sound cannot be read.
        """
        frames = open_frames(video, fps)
        kept = KeptTensors(memory_mb)
        state = _official_state(frames, self.device)
        state["kept"], state["fps"], state["times"] = kept, _rate(frames), list(frames.times)
        state["audio_weights"], state["scores"] = {}, {}
        sound = self._sound(frames, audio)
        state["has_audio"], state["hearing"] = sound is not None, None
        if sound is not None:
            model = self.trained.model
            windows = Windows(frames.times, self.trained.num_frames)
            encode = lambda frame: self._features(state, frame)  # noqa: E731
            state["hearing"] = Hearing(model, sound, windows, text, kept, encode)
        return state

    def add_audio(self, inference_state: State, obj_id: int, weight: float = 1.0) -> None:
        """Let the sound prompt an object in every frame; it needs no click.

        Args:
            inference_state: of the video.
            obj_id: a new object, or one that has clicks.
            weight: factor of its audio prompts, see :meth:`set_audio_weight`.
        """
        weight = check_weight(weight)
        self._obj_id_to_idx(inference_state, obj_id)
        if not inference_state["has_audio"]:
            warnings.warn(f"object {obj_id} hears nothing: there is no sound", stacklevel=2)
            return
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

        Args:
            inference_state: of the video.
            weight: of at least 0.
            obj_id: one object; ``None`` is all that have sound.
            frames: indices; ``None`` is all frames.

        Raises:
            ValueError: on a weight, an object or a frame that cannot be.
        """
        weight = check_weight(weight)
        weights = inference_state["audio_weights"]
        for one in weights if obj_id is None else [obj_id]:
            weights[one].set(weight, frames)

    def scores(self, inference_state: State, frame_idx: int) -> dict[int, tuple[float, float]]:
        """Predicted IoU in [0, 1] and object score logit by object, of a frame that was tracked."""
        of_frame = inference_state["scores"].get(frame_idx, {})
        return {obj_id: (float(iou), float(score)) for obj_id, (iou, score) in of_frame.items()}

    def close(self, inference_state: State) -> None:
        """Give open and temporary files back; the state is of no use from then on."""
        inference_state["images"].close()
        inference_state["kept"].close()

    @torch.inference_mode()
    def propagate_in_video_preflight(self, inference_state: State) -> None:
        """As the official one; an object with sound and no prompt begins in its first frame."""
        state = inference_state
        for obj_id, weights in state["audio_weights"].items():
            idx = self._obj_id_to_idx(state, obj_id)
            outputs = state["output_dict_per_obj"][idx]
            prompted = state["temp_output_dict_per_obj"][idx]["cond_frame_outputs"]
            first = weights.first_sounding(state["num_frames"])
            if first is None or outputs["cond_frame_outputs"] or prompted:
                continue
            out, _ = self._run_single_frame_inference(
                inference_state=state,
                output_dict=outputs,
                frame_idx=first,
                batch_size=1,
                is_init_cond_frame=True,
                point_inputs=None,
                mask_inputs=None,
                reverse=False,
                run_mem_encoder=True,
            )
            outputs["cond_frame_outputs"][first] = out
        super().propagate_in_video_preflight(state)

    def _sound(self, frames: FrameSource, audio: Audio) -> Sound | None:
        if audio is False:
            return None
        source = frames.path if audio is None or audio is True else audio
        try:
            return None if source is None else Sound(source, self.trained.listening)
        except ValueError as error:
            if audio is not None:
                raise
            warnings.warn(f"{error}: plain SAM2 without sound", stacklevel=3)
            return None


def _official_state(frames: FrameSource, device: torch.device) -> State:
    """What the official ``init_state`` makes, with frames that are read when they are wanted."""
    height, width = frames.size
    per_object = (
        *("point_inputs_per_obj", "mask_inputs_per_obj", "output_dict_per_obj"),
        *("temp_output_dict_per_obj", "frames_tracked_per_obj"),
    )
    return {
        "images": frames,
        "num_frames": len(frames),
        "offload_video_to_cpu": True,
        "offload_state_to_cpu": False,
        "video_height": height,
        "video_width": width,
        "device": device,
        "storage_device": device,
        "cached_features": {},
        "constants": {},
        "obj_id_to_idx": OrderedDict(),
        "obj_idx_to_id": OrderedDict(),
        "obj_ids": [],
        **{name: {} for name in per_object},
    }


def _rate(frames: FrameSource) -> float:
    """Frames a second, on average."""
    times = frames.times
    return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 1.0
