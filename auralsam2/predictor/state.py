"""The state of a video: the official dict, and beside it what is heard and what is kept."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

import torch

from auralsam2.data.frame_source import FrameSource
from auralsam2.predictor.hearing import Hearing
from auralsam2.predictor.kept import KeptTensors

State = dict[str, Any]

OF_OBJECTS = (
    *("point_inputs_per_obj", "mask_inputs_per_obj", "output_dict_per_obj"),
    *("temp_output_dict_per_obj", "frames_tracked_per_obj"),
)


class AudioWeights:
    """Factors of one object: one for all frames, and others for single frames; 0 is off."""

    def __init__(self, weight: float) -> None:
        self._usual, self._of_frames = weight, dict[int, float]()

    def at(self, frame: int) -> float:
        """The factor of a frame."""
        return self._of_frames.get(frame, self._usual)

    def set(self, weight: float, frames: Iterable[int] | None) -> None:
        """Another factor for some frames; ``None`` is all of them."""
        if frames is None:
            self._usual, self._of_frames = weight, {}
        else:
            self._of_frames |= dict.fromkeys(frames, weight)

    def first_sounding(self, num_frames: int) -> int | None:
        """The first frame that is not off; ``None`` where all are."""
        if not self._usual:
            return min((f for f, w in self._of_frames.items() if w), default=None)
        return next((f for f in range(num_frames) if self.at(f)), None)


def check_weight(weight: float) -> float:
    """Refuse what is no factor, by a ValueError; the weight as a float."""
    if not (math.isfinite(weight) and weight >= 0):
        raise ValueError(f"an audio weight is a number of at least 0 (0 is off), got {weight!r}")
    return float(weight)


def new_state(
    frames: FrameSource,
    fps: float | None,
    kept: KeptTensors,
    hearing: Hearing | None,
    device: torch.device,
) -> State:
    """What the official ``init_state`` makes, with frames that are read when they are wanted.

    Further keys: ``fps`` and ``times``, seconds of every frame; ``has_audio``; ``hearing``, which
    makes audio prompts; ``kept`` features; ``audio_weights`` by object; ``scores`` by frame and
    object; ``stale``, (object, frame) of clicks that were answered under another audio weight.
    """
    times = list(frames.times)
    mean_rate = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 1.0
    own: State = {
        "fps": mean_rate if fps is None else float(fps),
        "times": times,
        "has_audio": hearing is not None,
        "hearing": hearing,
        "kept": kept,
        "audio_weights": {},
        "scores": {},
        "stale": set(),
    }
    return _official(frames, device) | own


def _official(frames: FrameSource, device: torch.device) -> State:
    height, width = frames.size
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
        **{name: {} for name in OF_OBJECTS},
    }


def object_of(state: State, outputs: object) -> int:
    """Id of the object whose dict of outputs this is."""
    index = next(i for i, own in state["output_dict_per_obj"].items() if own is outputs)
    found: int = state["obj_idx_to_id"][index]
    return found


def outputs_of(state: State, index: int) -> tuple[Any, Any]:
    """Outputs of an object since the last propagation, and those before."""
    return state["temp_output_dict_per_obj"][index], state["output_dict_per_obj"][index]


def latest_output(state: State, obj_id: int, frame: int) -> Mapping[str, Any]:
    """What was said last of an object in a frame; empty where nothing was."""
    both = outputs_of(state, state["obj_id_to_idx"][obj_id])
    found = (slot[frame] for outputs in both for slot in outputs.values() if frame in slot)
    return next(found, {})


def check_frame(state: State, frame: int) -> int:
    """Refuse a frame that the video does not have, by a ValueError; its index."""
    if not 0 <= frame < state["num_frames"]:
        raise ValueError(f"no frame {frame}: the video has frames 0 to {state['num_frames'] - 1}")
    return int(frame)
