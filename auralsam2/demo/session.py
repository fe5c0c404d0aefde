"""One person's clip: what was asked of its objects, and a predictor's state for each run."""

from __future__ import annotations

import secrets
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralsam2.demo.clip import Clip, open_clip, shrink
from auralsam2.demo.models import reads_text
from auralsam2.demo.tracked import TrackedObject
from auralsam2.messages import is_message, message
from auralsam2.segment import rle

MOST_FRAMES = 3000
MOST_OBJECTS = 8
MODEL = threading.RLock()
"""Held by whoever uses a model: all sessions share the models of this process."""


class Answer(NamedTuple):
    """What a run says of a frame."""

    run: str
    frame: int
    masks: dict[int, NDArray[np.bool_]]  # object -> (H, W), of the video's size
    scores: dict[int, tuple[float, float]]  # object -> predicted IoU, object score


class Session:
    """What one browser has open.

    Args:
        predictors: by the name of their run.
        folder: for its files; made here, removed by `close`.
    """

    def __init__(self, predictors: Mapping[str, Any], folder: Path) -> None:
        self.predictors, self.folder = predictors, folder
        self.clip: Clip | None = None
        self.objects: dict[int, TrackedObject] = {}
        self.edition = 0
        """Grows with every change; what follows from an earlier one stops."""
        self.exporting = threading.Lock()
        """Held by whoever writes the session's masks to its folder."""
        self.closed = False
        self._states: dict[str, Any] = {}
        self._known: set[int] = set()  # objects that the predictors have
        self._heard: set[int] = set()  # those of them that the sound has prompted
        folder.mkdir()

    def new_folder(self) -> Path:
        """Make a folder for the files of a clip that is about to come in."""
        folder = self.folder / secrets.token_hex(8)  # browsers keep pictures by its name
        folder.mkdir()
        return folder

    def load(self, source: Path, name: str, fps: float | None, text: str = "") -> None:
        """Open a video in place of the one before.

        Args:
            source: a file in a `new_folder`, or one that this package ships.
            name: what its owner calls it.
            fps: frames of a second; the video's own where None.
            text: the expression, for the runs that read one.

        Raises:
            ValueError: for a video that cannot be read, or has too many frames.
        """
        self._changed()
        folder = source.parent if source.is_relative_to(self.folder) else self.new_folder()
        with MODEL:
            states: dict[str, Any] = {}
            try:
                for run, predictor in self.predictors.items():
                    expression = text if reads_text(predictor) else None
                    states[run] = predictor.init_state(str(source), fps=fps, text=expression)
                state = next(iter(states.values()))
                if state["num_frames"] > MOST_FRAMES:
                    raise ValueError(
                        f"the clip has {state['num_frames']} frames, this page takes up to "
                        f"{MOST_FRAMES}: choose fewer frames per second"
                    )
                clip = open_clip(source, name, fps, state, folder)
            except BaseException as error:
                self._close_states(states)
                shutil.rmtree(folder, ignore_errors=True)
                if not is_message(error):
                    raise
                raise ValueError(message(error).replace(str(source), name)) from error
            self._drop()
            self._states, self.clip = states, clip
            self.objects = {1: TrackedObject(1, sound=clip.sound is not None)}
            self._settle(self.objects[1])

    def change(
        self, obj_id: int, ask: Callable[[TrackedObject], None], frame: int | None = None
    ) -> list[dict[str, Any]]:
        """Change what is asked of an object, and prompt all runs accordingly.

        Args:
            obj_id: of the object.
            ask: changes it.
            frame: that it is about, if it is about one.

        Returns:
            Its masks in frames whose clicks have changed, as `masks` yields them.

        Raises:
            ValueError: where there is no such object or frame, or ``ask`` refuses.
        """
        self._changed()
        with MODEL:
            tracked = self._object(obj_id)
            if self.clip is None or (frame is not None and not 0 <= frame < len(self.clip.times)):
                raise ValueError(f"the clip has no frame {frame}")
            asked = deepcopy(tracked)
            ask(asked)
            if asked.hears and self.clip.sound is None:
                raise ValueError("this clip has no sound that an object could hear")
            before, after = tracked.frames, asked.frames
            changed = [f for f in sorted({*before, *after}) if before.get(f) != after.get(f)]
            self.objects[obj_id] = asked
            return self._settle(asked, changed)

    def add_object(self) -> int:
        """Add an object without sound and return its number."""
        self._changed()
        with MODEL:
            if self.clip is None:
                raise ValueError("load a clip first")
            if len(self.objects) >= MOST_OBJECTS:
                raise ValueError(f"there are {MOST_OBJECTS} objects already: remove one first")
            obj_id = max(self.objects, default=0) + 1
            self.objects[obj_id] = TrackedObject(obj_id, sound=False)
            return obj_id

    def remove_object(self, obj_id: int) -> None:
        """Forget an object."""
        self._changed()
        with MODEL:
            del self.objects[self._object(obj_id).obj_id]
            self._forget(obj_id)

    def answers(self) -> Iterator[Answer]:
        """Segment all frames with every run, until something changes or this is begun again."""
        self._changed()
        edition = self.edition
        if self.clip is None or not any(tracked.prompted for tracked in self.objects.values()):
            return
        passes = {run: self._passes(run) for run in self._states}
        while passes:
            for run in list(passes):
                with MODEL:
                    if self.closed or self.edition != edition:
                        return
                    found = next(passes[run], None)
                if found is None:
                    del passes[run]
                else:
                    yield found

    def masks(self) -> Iterator[dict[str, Any]]:
        """Yield the answers as the page draws them."""
        for answer in self.answers():
            yield self._shown(answer)

    def close(self) -> None:
        """Give everything back."""
        self.closed = True
        with MODEL:
            self._drop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _passes(self, run: str) -> Iterator[Answer]:
        """Frames forward from the first click, or the beginning, then those before it."""
        predictor, state = self.predictors[run], self._states[run]
        for reverse in (False, True):
            start = self._start()
            if reverse and start == 0:
                return
            found = predictor.propagate_in_video(state, start_frame_idx=start, reverse=reverse)
            for frame, obj_ids, logits in found:
                yield self._answer(run, frame, obj_ids, logits)

    def _start(self) -> int:
        clicked = [frame for tracked in self.objects.values() for frame in tracked.frames]
        heard = any(tracked.hears for tracked in self.objects.values())
        return 0 if heard or not clicked else min(clicked)

    def _answer(self, run: str, frame: int, obj_ids: Any, logits: Any) -> Answer:
        scores = self.predictors[run].scores(self._states[run], frame)
        masks = (logits[:, 0] > 0).cpu().numpy()
        return Answer(run, int(frame), dict(zip(map(int, obj_ids), masks, strict=True)), scores)

    def _shown(self, answer: Answer) -> dict[str, Any]:
        assert self.clip is not None
        objects = {}
        for obj_id, mask in answer.masks.items():
            iou, score = answer.scores.get(obj_id, (None, None))
            runs = rle.runs(shrink(mask, self.clip.frames.size)).tolist()
            objects[obj_id] = {"runs": runs, "iou": iou, "score": score}
        return {"frame": answer.frame, "run": answer.run, "objects": objects}

    def _settle(self, tracked: TrackedObject, frames: Sequence[int] = ()) -> list[dict[str, Any]]:
        """Prompt every run by what is asked of an object; it goes where nothing is."""
        obj_id, found = tracked.obj_id, []
        if not tracked.prompted:
            self._forget(obj_id)
            return []
        for run, state in self._states.items():
            predictor = self.predictors[run]
            if obj_id in self._heard:
                predictor.set_audio_weight(state, tracked.weight * tracked.sound, obj_id=obj_id)
            elif tracked.hears:
                predictor.add_audio(state, obj_id=obj_id, weight=tracked.weight)
            for frame in frames:
                if prompts := self._prompts(tracked, frame):
                    _, ids, logits = predictor.add_new_points_or_box(
                        state,
                        frame,
                        obj_id,
                        clear_old_points=True,
                        normalize_coords=True,
                        **prompts,
                    )
                    place = list(ids).index(obj_id)
                    answer = self._answer(run, frame, [obj_id], logits[place : place + 1])
                    found.append(self._shown(answer))
                else:
                    predictor.clear_all_prompts_in_frame(state, frame, obj_id)
        self._known.add(obj_id)
        if tracked.hears:
            self._heard.add(obj_id)
        return found

    def _prompts(self, tracked: TrackedObject, frame: int) -> dict[str, Any]:
        """Clicks of a frame in the words of a predictor, in pixels of the video."""
        asked = tracked.frames.get(frame)
        if asked is None:
            return {}
        state = next(iter(self._states.values()))
        scale = np.array([state["video_width"], state["video_height"]], np.float32)
        prompts: dict[str, Any] = {}
        if asked.points:
            prompts["points"] = np.array([point[:2] for point in asked.points], np.float32) * scale
            prompts["labels"] = np.array([point[2] for point in asked.points], np.int32)
        if asked.box:
            prompts["box"] = np.array(asked.box, np.float32) * np.tile(scale, 2)
        return prompts

    def _forget(self, obj_id: int) -> None:
        """Take an object from all predictors that know it."""
        if obj_id in self._known:
            for run, state in self._states.items():
                self.predictors[run].remove_object(state, obj_id)
        self._known.discard(obj_id)
        self._heard.discard(obj_id)

    def _changed(self) -> None:
        """Let what is being computed of an earlier state end: called before the lock is taken."""
        self.edition += 1

    def _object(self, obj_id: int) -> TrackedObject:
        if obj_id not in self.objects:
            raise ValueError(f"there is no object {obj_id}; there are {sorted(self.objects)}")
        return self.objects[obj_id]

    def _drop(self) -> None:
        """Close the clip."""
        self._close_states(self._states)
        if self.clip is not None:
            self.clip.frames.close()
            shutil.rmtree(self.clip.folder, ignore_errors=True)
        self._states, self.clip, self.objects = {}, None, {}
        self._known, self._heard = set(), set()

    def _close_states(self, states: Mapping[str, Any]) -> None:
        for run, state in states.items():
            self.predictors[run].close(state)
