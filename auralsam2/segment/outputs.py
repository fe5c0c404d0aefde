"""What comes out of one video: overlay with its sound, masks, numbers, and what a sheet shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from auralsam2.data.frame_source import FrameSource
from auralsam2.data.video_writing import VideoWriter
from auralsam2.segment import rle
from auralsam2.segment.overlay import draw_masks
from auralsam2.text_files import encode, replacing, write_csv

OVERLAY, MASKS, RLE, NUMBERS, SHEET = (
    "overlay.mp4", "masks", "masks.json", "scores.csv", "sheet.png",
)  # fmt: skip
COLUMNS = (
    "frame", "time_s", "object", "predicted_iou", "object_score", "area_px", "area_share",
    "x0", "y0", "x1", "y1",
)  # fmt: skip
SHOWN_FRAMES, LONGEST_SIDE = 6, 480
"""Of a sheet."""

Mask = NDArray[np.bool_]
Picture = NDArray[np.uint8]


class Tracked(NamedTuple):
    """The masks of a video, which lie in its folder, and what the predictor says of them."""

    times: Sequence[float]  # (T,) seconds
    end: float  # seconds
    size: tuple[int, int]  # (H, W)
    scores: Mapping[int, NDArray[np.float32]]  # object -> (T, 2) predicted IoU, object score
    sound: Path | None  # file that was heard
    pixel: Fraction  # width by height of a pixel, as it is to be shown


class Glance(NamedTuple):
    """What a sheet shows of a video: K of its frames, in small, and all of its sound."""

    name: str  # of the video
    times: tuple[float, ...]  # (K,) seconds
    pictures: tuple[Picture, ...]  # (K,) of (h, w, 3)
    drawn: tuple[Picture, ...]  # the same with their masks
    objects: tuple[int, ...]  # (O,)
    areas: NDArray[np.float32]  # (O, T) share of every frame that an object covers
    all_times: Sequence[float]  # (T,)
    end: float  # seconds
    waveform: NDArray[np.float32] | None  # (bins, 2) lowest and highest sample; None without sound


def mask_file(folder: Path, obj_id: int, frame: int) -> Path:
    """Return where the mask of an object and frame lies: a PNG of one bit a pixel."""
    return folder / MASKS / str(obj_id) / f"{frame:05d}.png"


def write_mask(folder: Path, obj_id: int, frame: int, mask: Mask) -> None:
    """Write one mask (H, W)."""
    path = mask_file(folder, obj_id, frame)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(path)


def read_mask(folder: Path, obj_id: int, frame: int) -> Mask:
    """Read one mask (H, W)."""
    with Image.open(mask_file(folder, obj_id, frame)) as image:
        return np.asarray(image, dtype=bool)


def write_overlay(
    folder: Path,
    name: str,
    frames: FrameSource,
    tracked: Tracked,
    on_frame: Callable[[], None] = lambda: None,
) -> tuple[Glance, str]:
    """Write the overlay and the table of a video whose masks lie in its folder.

    Frames go through one at a time.

    Returns:
        What a sheet shows, and what is wrong with the end of the sound or "".
    """
    num_frames, ids = len(tracked.times), tuple(tracked.scores)
    shown = {int(i) for i in np.linspace(0, num_frames - 1, min(num_frames, SHOWN_FRAMES)).round()}
    rows: list[Sequence[object]] = [COLUMNS]
    areas = np.zeros((len(ids), num_frames), np.float32)
    small: list[tuple[float, Picture, Picture]] = []
    outline = (tracked.size, tracked.times, tracked.end, tracked.sound, tracked.pixel)
    writer = VideoWriter(folder / OVERLAY, *outline)
    with writer:
        for index, time in enumerate(tracked.times):
            picture = frames[index]
            masks = {obj_id: read_mask(folder, obj_id, index) for obj_id in ids}
            drawn = draw_masks(picture, masks)
            writer.add(drawn)
            areas[:, index] = [mask.mean() for mask in masks.values()]
            rows += [_row(index, tracked, obj_id, mask) for obj_id, mask in masks.items()]
            if index in shown:
                small.append((time, *(_in_small(p, tracked.pixel) for p in (picture, drawn))))
            on_frame()
    write_csv(folder / NUMBERS, rows)
    times, pictures, overlaid = zip(*small, strict=True)
    seen = (times, pictures, overlaid, ids, areas, tracked.times, tracked.end, writer.waveform)
    return Glance(name, *seen), writer.problem


def box_of(mask: Mask) -> tuple[int, int, int, int] | None:
    """Return x0, y0, x1, y1 of a mask (H, W), the last two behind its end; None of nothing."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _row(index: int, tracked: Tracked, obj_id: int, mask: Mask) -> list[object]:
    iou, score = (
        "" if np.isnan(value) else f"{value:.4f}" for value in tracked.scores[obj_id][index]
    )
    box = box_of(mask) or ("",) * 4
    area = f"{mask.mean():.6f}"
    return [index, f"{tracked.times[index]:.4f}", obj_id, iou, score, int(mask.sum()), area, *box]


def _in_small(picture: Picture, pixel: Fraction) -> Picture:
    image = Image.fromarray(picture)
    if pixel != 1:
        image = image.resize((max(1, round(image.width * pixel)), image.height))
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return np.asarray(image)


def write_rle(folder: Path, name: str, tracked: Tracked) -> None:
    """Write the masks as one JSON in the layout of YouTube-VIS, each as COCO's RLE.

    A mask at a time: the text of a long video is never in memory as a whole.
    """
    height, width = tracked.size
    size = {"width": width, "height": height, "length": len(tracked.times)}
    times = [round(time, 6) for time in tracked.times]
    videos = [{"id": 1, "file_name": name, **size, "times": times}]
    head = {"videos": videos, "categories": [{"id": 1, "name": "object"}]}
    with replacing(folder / RLE) as unfinished, unfinished.open("wb") as file:
        file.write(encode(f'{json.dumps(head)[:-1]}, "annotations": ['))
        for place, obj_id in enumerate(tracked.scores):
            facts = {"id": obj_id, "video_id": 1, "category_id": 1, "iscrowd": 0, **size}
            file.write(encode(", " * bool(place) + json.dumps(facts)[:-1]))
            for key, values in _columns(folder, obj_id, len(times)):
                file.write(encode(f', "{key}": ['))
                for index, value in enumerate(values):
                    file.write(encode(", " * bool(index) + json.dumps(value)))
                file.write(b"]")
            file.write(b"}")
        file.write(b"]}\n")


def _columns(folder: Path, obj_id: int, num_frames: int) -> Iterator[tuple[str, Iterator[Any]]]:
    """Of an object, what stands for every frame: null where nothing of it is seen."""
    areas: list[int] = []
    boxes: list[list[int] | None] = []

    def masks() -> Iterator[dict[str, Any] | None]:
        for index in range(num_frames):
            mask = read_mask(folder, obj_id, index)
            box = box_of(mask)
            areas.append(int(mask.sum()))
            boxes.append(box and [box[0], box[1], box[2] - box[0], box[3] - box[1]])
            yield None if box is None else rle.encode(mask)

    yield "segmentations", masks()
    yield "areas", (area or None for area in areas)
    yield "bboxes", iter(boxes)
