"""One person's clip: what is asked of its objects, and the runs that follow them."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from auralsam2.demo.clip import Clip, open_clip, shrink
from auralsam2.demo.follower import Answer, Follower
from auralsam2.demo.tracked import TrackedObject
from auralsam2.messages import is_message, message
from auralsam2.segment import rle

MOST_FRAMES = 3000
MOST_OBJECTS = 8
MODEL = threading.RLock()
"""Held by whoever uses a model: all sessions share the models of this process."""


class StoppedError(ValueError):
    """Masks that nobody waits for any more."""


class Session:
    """What one browser has open; its folder is made here and removed by `close`."""

    def __init__(self, predictors: Mapping[str, Any], folder: Path) -> None:
        self.predictors, self.folder = predictors, folder
        self.clip: Clip | None = None
        self.objects: dict[int, TrackedObject] = {}
        self.edition = 0
        """Grows with every change; what follows from an earlier one stops."""
        self.exporting = threading.Lock()
        """Held by whoever writes the session's masks to its folder."""
        self.exported = 0.0
        """Share of an export that is written by now."""
        self.closed = False
        self._followers: list[Follower] = []
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
            followers: list[Follower] = []
            try:
                for run, predictor in self.predictors.items():
                    followers.append(Follower(run, predictor, source, fps, text))
                if (count := followers[0].state["num_frames"]) > MOST_FRAMES:
                    raise ValueError(
                        f"the clip has {count} frames, this page takes up to {MOST_FRAMES}: "
                        "choose fewer frames per second"
                    )
                clip = open_clip(source, name, fps, followers[0].state, folder)
            except BaseException as error:
                _close(followers)
                shutil.rmtree(folder, ignore_errors=True)
                if not is_message(error):
                    raise
                raise ValueError(message(error).replace(str(source), name)) from error
            self._drop()
            self._followers, self.clip = followers, clip
            told = [f"{f.run}: {text}." for f in followers for text in f.notices if clip.sound]
            clip.notices.extend(text.replace(str(source), name) for text in told)
            self.objects = {1: TrackedObject(1, sound=self._hears)}
            self._prompt(self.objects[1])

    def load_again(self, fps: float | None, text: str = "") -> None:
        """Open the clip that is there at another rate, or for another expression.

        Objects stay as they are, and clicks at the frames that are nearest in time.

        Raises:
            ValueError: as `load`, or where there is none.
        """
        self._changed()
        with MODEL:
            if (clip := self.clip) is None:
                raise ValueError("load a clip first")
            source = clip.source
            if source.is_relative_to(self.folder):
                source = self.new_folder() / clip.source.name
                os.link(clip.source, source)  # its folder goes with the clip
            objects = list(self.objects.values())
            self.load(source, clip.name, fps, text)
            assert self.clip is not None
            self.remove_object(1)
            for tracked in objects:
                moved = tracked.moved(clip.times, self.clip.times)
                self.objects[moved.obj_id] = moved
                self._prompt(moved, list(moved.frames))
                if lost := len(tracked.frames) - len(moved.frames):
                    told = f"Clicks in {lost} frame{'s' * (lost > 1)} of object {moved.obj_id} went"
                    self.clip.notices.append(f"{told}: others fell on the same frame.")

    def change(
        self, obj_id: int, ask: Callable[[TrackedObject], None], frame: int | None = None
    ) -> list[dict[str, Any]]:
        """Let ``ask`` change what is asked of an object, in a frame if it is about one.

        All runs are prompted accordingly.

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
            if asked.hears and not self._hears:
                lacking = "this clip has no sound" if self.clip.sound is None else "no run hears it"
                raise ValueError(f"{lacking}: the masks follow your clicks alone")
            before, after = tracked.frames, asked.frames
            changed = [f for f in sorted({*before, *after}) if before.get(f) != after.get(f)]
            self.objects[obj_id] = asked
            return self._prompt(asked, changed)

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
            for follower in self._followers:
                follower.forget(obj_id)

    def answers(self) -> Iterator[Answer]:
        """Segment all frames with every run, one after the other at each frame.

        It ends early, for a `StoppedError`, where something changes or it is begun again.
        """
        self._changed()
        edition = self.edition
        running = [follower.answers(self.objects) for follower in self._followers]
        while running:
            for answers in list(running):
                with MODEL:
                    if self.closed or self.edition != edition:
                        raise StoppedError("the masks have changed since")
                    found = next(answers, None)
                if found is None:
                    running.remove(answers)
                else:
                    yield found

    def masks(self) -> Iterator[dict[str, Any]]:
        """Yield the answers as the page draws them, and at last that they are all."""
        try:
            for answer in self.answers():
                yield self._shown(answer)
        except StoppedError:
            return
        yield {"done": True}

    def close(self) -> None:
        """Give everything back."""
        self.closed = True
        with MODEL:
            self._drop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _hears(self) -> bool:
        """Whether there is sound that a run hears."""
        heard = any(follower.state["has_audio"] for follower in self._followers)
        return heard and self.clip is not None and self.clip.sound is not None

    def _shown(self, answer: Answer) -> dict[str, Any]:
        assert self.clip is not None
        objects = {}
        for obj_id, mask in answer.masks.items():
            iou, score = answer.scores.get(obj_id, (None, None))
            runs = rle.runs(shrink(mask, self.clip.frames.size)).tolist()
            objects[obj_id] = {"runs": runs, "iou": iou, "score": score}
        return {"frame": answer.frame, "run": answer.run, "objects": objects}

    def _prompt(self, tracked: TrackedObject, frames: Sequence[int] = ()) -> list[dict[str, Any]]:
        answers = [one for f in self._followers for one in f.prompt(tracked, frames)]
        return [self._shown(answer) for answer in answers]

    def _changed(self) -> None:
        """Let what is being computed of an earlier state end: called before the lock is taken."""
        self.edition += 1

    def _object(self, obj_id: int) -> TrackedObject:
        if obj_id not in self.objects:
            raise ValueError(f"there is no object {obj_id}; there are {sorted(self.objects)}")
        return self.objects[obj_id]

    def _drop(self) -> None:
        """Close the clip."""
        _close(self._followers)
        if self.clip is not None:
            self.clip.frames.close()
            shutil.rmtree(self.clip.folder, ignore_errors=True)
        self._followers, self.clip, self.objects = [], None, {}


def _close(followers: Sequence[Follower]) -> None:
    for follower in followers:
        follower.close()
