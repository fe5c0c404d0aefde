"""One run on one clip: its predictor, prompted by what is asked of the objects."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralsam2.demo.tracked import TrackedObject
from auralsam2.predictor.hearing import reads_text
from auralsam2.segment.prompts import prompt_arrays


class Answer(NamedTuple):
    """What a run says of a frame."""

    run: str
    frame: int
    masks: dict[int, NDArray[np.bool_]]  # object -> (H, W), of the video's size
    scores: dict[int, tuple[float, float]]  # object -> predicted IoU, object score


class Follower:
    """A predictor and its state of a video.

    Args:
        run: its name.
        predictor: of the run.
        source: a video.
        fps: frames of a second; the video's own where None.
        text: the expression, for a run that reads one.

    Attributes:
        state: the predictor's.
        notices: what its predictor told of the clip.

    Raises:
        ValueError: for a video that cannot be read.
    """

    def __init__(
        self, run: str, predictor: Any, source: Path, fps: float | None, text: str
    ) -> None:
        self.run, self.predictor = run, predictor
        expression = text if reads_text(predictor.trained.model) else None
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", UserWarning)
            self.state = predictor.init_state(str(source), fps=fps, text=expression)
        self.notices = [str(warning.message) for warning in told]
        self._known: set[int] = set()  # objects that the predictor has
        self._heard: set[int] = set()  # those of them that the sound has prompted

    def hears(self, tracked: TrackedObject) -> bool:
        """Whether the sound has a say in an object here."""
        return bool(tracked.hears and self.state["has_audio"])

    def prompted(self, tracked: TrackedObject) -> bool:
        """Whether there is anything to segment an object by."""
        return bool(tracked.frames) or self.hears(tracked)

    def prompt(self, tracked: TrackedObject, frames: Sequence[int] = ()) -> list[Answer]:
        """Bring an object up to what is asked of it; it goes where nothing is.

        Returns:
            Its masks in those of ``frames``, whose clicks have changed, that have any.
        """
        obj_id, found = tracked.obj_id, []
        if not self.prompted(tracked):
            self.forget(obj_id)
            return []
        if obj_id in self._heard:
            weight = tracked.weight * tracked.sound
            self.predictor.set_audio_weight(self.state, weight, obj_id=obj_id)
        elif self.hears(tracked):
            self.predictor.add_audio(self.state, obj_id=obj_id, weight=tracked.weight)
            self._heard.add(obj_id)
        for frame in frames:
            if prompts := self._prompts(tracked, frame):
                _, ids, logits = self.predictor.add_new_points_or_box(
                    self.state, frame, obj_id, clear_old_points=True, normalize_coords=True,
                    **prompts,
                )  # fmt: skip
                place = list(ids).index(obj_id)
                found.append(self._answer(frame, [obj_id], logits[place : place + 1]))
            elif obj_id in self._known:
                self.predictor.clear_all_prompts_in_frame(self.state, frame, obj_id)
        self._known.add(obj_id)
        return found

    def forget(self, obj_id: int) -> None:
        """Take an object from the predictor, if it has it."""
        if obj_id in self._known:
            self.predictor.remove_object(self.state, obj_id)
        self._known.discard(obj_id)
        self._heard.discard(obj_id)

    def answers(self, objects: Mapping[int, TrackedObject]) -> Iterator[Answer]:
        """Segment frames forward from the first click, or the beginning, then those before it."""
        asked = [tracked for tracked in objects.values() if self.prompted(tracked)]
        clicked = [frame for tracked in asked for frame in tracked.frames]
        start = 0 if any(map(self.hears, asked)) else min(clicked, default=0)
        for reverse in (False, True)[: 1 + (start > 0)] if asked else ():
            propagated = self.predictor.propagate_in_video(
                self.state, start_frame_idx=start, reverse=reverse
            )
            for frame, obj_ids, logits in propagated:
                yield self._answer(frame, obj_ids, logits)

    def close(self) -> None:
        """Give the state back."""
        self.predictor.close(self.state)

    def _answer(self, frame: int, obj_ids: Sequence[int], logits: Any) -> Answer:
        masks = (logits[:, 0] > 0).cpu().numpy()
        scores = self.predictor.scores(self.state, frame)
        return Answer(self.run, int(frame), dict(zip(obj_ids, masks, strict=True)), scores)

    def _prompts(self, tracked: TrackedObject, frame: int) -> dict[str, Any]:
        """Clicks of a frame in the words of a predictor, in pixels of the video."""
        asked = tracked.frames.get(frame)
        if asked is None:
            return {}
        points, labels = [p[:2] for p in asked.points], [p[2] for p in asked.points]
        size = self.state["video_width"], self.state["video_height"]
        return prompt_arrays(points, labels, asked.box, size)
