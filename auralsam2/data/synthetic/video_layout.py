"""Videos of any length: several frames a second, objects that swing, sounds that come and go."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from auralsam2.data.audio import SAMPLE_RATE
from auralsam2.data.clip_contents import SYNTHETIC_TRUTH
from auralsam2.data.datasets.semantic import class_colours
from auralsam2.data.synthetic.layout import Layout, Plan, new_folder
from auralsam2.data.synthetic.scene import Scene, in_sight, render_frames, sample_scene
from auralsam2.data.synthetic.schedule import sample_schedule
from auralsam2.data.synthetic.sounds import render_sound
from auralsam2.data.video_writing import VideoWriter
from auralsam2.listing import files_in
from auralsam2.text_files import replacing

SWING = 2.5
"""Seconds that objects go along their paths before they turn: to and fro in 16 seconds, nowhere
faster than in a clip of one frame a second."""
BLOCK = 5
"""Seconds for which a schedule is drawn at a time: what sounds changes as often as in clips."""


class VideoLayout(Layout):
    """``videos/UID.mp4`` with its sound, and ``masks/UID/*.png`` of what is seen in each frame.

    A mask has the palette's number n + 1 where object n is seen; ``synthetic.json`` tells which
    objects sound in which second. What sounds changes at whole seconds only.
    """

    splits = ("test",)
    percents = ()
    num_frames = 30
    default_fps = 5
    example = "20"
    unit = "video"

    def problems(self) -> list[str]:
        """Also an odd side, which videos do not have."""
        odd = f"size must be even in videos, got {self.plan.size}"
        return super().problems() + [odd] * (self.plan.size % 2)

    def scene(self, index: int) -> Scene:
        """Draw 2 to 4 objects that stay in sight; those that sound change every few seconds."""
        frames, fps = self.plan.num_frames, self.plan.fps
        rng = np.random.default_rng([self.plan.seed, index])
        time = SWING * np.sin(np.arange(frames) / fps / SWING)

        draw = partial(sample_scene, rng, frames, self.plan.num_classes, time=time, fps=fps)
        scene = in_sight(draw)
        seconds, num_objects = scene.sounding.shape
        parts = [
            sample_schedule(rng, min(BLOCK, seconds - start), num_objects)
            for start in range(0, seconds, BLOCK)
        ]
        return replace(scene, sounding=np.concatenate(parts))

    def clip_folder(self, root: Path, truth: dict[str, Any]) -> Path:
        """``masks/UID``."""
        return root / "masks" / str(truth["uid"])

    def write_clip(self, root: Path, index: int, scene: Scene, truth: dict[str, Any]) -> None:
        """Write the video, and the masks frame by frame."""
        import soundfile

        size, fps = self.plan.size, self.plan.fps
        times, end = np.arange(scene.num_frames) / fps, scene.num_frames / fps
        video = root / "videos" / f"{truth['uid']}.mp4"
        palette = class_colours(len(scene.objects) + 1).tobytes()
        video.parent.mkdir(exist_ok=True)
        with (
            new_folder(self.clip_folder(root, truth)) as folder,
            replacing(video) as unfinished,
            tempfile.NamedTemporaryFile(suffix=".wav") as sound,
        ):
            samples = render_sound(scene, np.random.default_rng([self.plan.seed, index, 1]))
            soundfile.write(sound.name, samples, SAMPLE_RATE, subtype="PCM_16")
            track = Path(sound.name)
            with VideoWriter(unfinished, (size, size), times.tolist(), end, track) as writer:
                for t, (frame, owner) in enumerate(render_frames(scene, size)):
                    writer.add(frame)
                    picture = Image.fromarray((owner + 1).astype(np.uint8), "P")
                    picture.putpalette(palette)
                    picture.save(folder / f"{t:05d}.png")

    def write_index(self, root: Path, truths: Sequence[dict[str, Any]]) -> None:
        """Nothing: videos are found by their names."""


class VideoTruth(NamedTuple):
    """What is seen and heard in a video."""

    video: Path
    fps: int
    objects: tuple[str, ...]  # N names
    sounding: NDArray[np.bool_]  # (T, N), True where the object sounds in the frame's second
    masks: tuple[Path, ...]  # T pictures

    def seen(self, frame: int) -> NDArray[np.bool_]:
        """(N, H, W), where each object is seen in a frame."""
        owner = np.asarray(Image.open(self.masks[frame]))
        return np.arange(1, len(self.objects) + 1)[:, None, None] == owner[None]

    def heard(self, frame: int) -> NDArray[np.bool_]:
        """(H, W), where something is seen that sounds in a frame."""
        return np.asarray(self.seen(frame)[self.sounding[frame]].any(axis=0))


def video_truths(root: Path) -> list[VideoTruth]:
    """Of all videos in a folder that :class:`VideoLayout` filled."""
    content = json.loads((root / SYNTHETIC_TRUTH).read_text(encoding="utf-8"))
    fps, truths = Plan.from_settings(content["settings"]).fps, []
    for clip in content["clips"]:
        masks = tuple(files_in(root / "masks" / clip["uid"], "*.png"))
        sounding = np.array(clip["sounding"], bool)[np.arange(len(masks)) // fps]
        video = root / "videos" / f"{clip['uid']}.mp4"
        truths.append(VideoTruth(video, fps, tuple(clip["objects"]), sounding, masks))
    return truths
