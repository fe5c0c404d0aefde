"""Files of clips, and a small tree for every reader, whose middle clip a test may damage."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import soundfile
import torch

from auralsam2.data.checking.check import Report, check_data
from auralsam2.registry import DATASETS

NUM_FRAMES = 4
HEIGHT, WIDTH = 24, 32
MASK = np.zeros((HEIGHT, WIDTH), np.uint8)
MASK[4:12] = 1


class Tree(NamedTuple):
    """A data set of three clips, and the files of the second.

    Attributes:
        root: of the data set.
        layout: for ``check_data``.
        node: of its reader.
        frames: folder of the second clip's frames.
        labels: folder of its labels.
        sound: its recording, or its log-mel examples.
        index: CSV file.
        first: number of the first frame.
        first_only: whether the first frame alone has a label.
        split_name: what errors call the split.
    """

    root: Path
    layout: str
    node: dict[str, Any]
    frames: Path
    labels: Path
    sound: Path
    index: Path
    split_name: str
    first: int = 0
    first_only: bool = False

    def read(self, **settings: Any) -> Any:
        """The data set."""
        return DATASETS.build({**self.node, **settings}, root=str(self.root), image_size=16)

    def check(self) -> Report:
        """What ``check-data`` says."""
        return check_data(self.layout, self.root)

    def numbered(self, folder: Path, number: int) -> Path:
        """A picture of the second clip by its number."""
        (path,) = (p for p in folder.iterdir() if int(p.stem.split("_")[-1]) == number)
        return path


def _frame(number: int) -> np.ndarray:
    rows = np.arange(HEIGHT, dtype=np.uint8)[:, None, None] * 5
    return np.broadcast_to(rows + np.uint8(number), (HEIGHT, WIDTH, 3)).copy()


def same_item(one: dict[str, Any], other: dict[str, Any], *but: str) -> bool:
    """Whether two items of data sets are equal, but for some keys."""
    return one.keys() == other.keys() and all(
        torch.equal(one[k], other[k]) if torch.is_tensor(one[k]) else one[k] == other[k]
        for k in one
        if k not in but
    )


def video_numbers(frames: Iterable[np.ndarray]) -> list[int]:
    """Which pictures of a video these are that the fixture ``write_video`` has written."""
    return [round((float(frame.mean()) - 20) / 3) for frame in frames]


def write_pictures(
    folder: Path, name: str, numbers: Iterable[int], picture: Callable[[int], np.ndarray]
) -> None:
    """One picture a number; colours are blue, green, red."""
    folder.mkdir(parents=True)
    for number in numbers:
        cv2.imwrite(str(folder / name.format(number)), picture(number))


def write_noise(path: Path, seconds: float, seed: int = 0, rate: int = 16_000) -> None:
    """A recording of two channels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).uniform(-0.1, 0.1, (round(seconds * rate), 2))
    soundfile.write(path, noise, rate)


def write_media(folder: Path, num_frames: int, level: int) -> None:
    """Frames of 24 x 32 px, each a little brighter, and a second of noise for each."""
    write_pictures(folder / "frames", "{}.jpg", range(num_frames), lambda t: _frame(level + t))
    write_noise(folder / "audio.wav", num_frames, seed=level)


def write_masks(folder: Path, count: int, top: int = 4, digits: int = 1) -> None:
    """Labels of 24 x 32 px: from row ``top`` to row 12, dark red on black."""
    label = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    label[top:12] = (0, 0, 128)
    write_pictures(folder, f"{{:0{digits}d}}.png", range(count), lambda _: label)


def paint(path: Path, *colours: tuple[int, int, int]) -> None:
    """A label of 24 x 32 px with a stripe of each RGB colour, one below the other."""
    rows = np.repeat(np.array(colours, np.uint8), HEIGHT // len(colours), axis=0)
    cv2.imwrite(str(path), np.repeat(rows[:, None, ::-1], WIDTH, axis=1))


def log_mels(num_frames: int = 5, seed: int = 0) -> np.ndarray:
    """(T, 1, 96, 64) between silence and a loud tone."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-4.6, 3, (num_frames, 1, 96, 64)).astype(np.float32)


def write_object_clip(
    data: Path,
    uid: str,
    below: str,
    shown: str,
    num_frames: int,
    num_masks: int | None = None,
    frame: tuple[str, Callable[[int], np.ndarray]] = ("{}_{}", _frame),
    seed: int = 0,
) -> None:
    """A clip of AVSBench's object release, white on black and numbered from 1.

    Frames lie in the folder ``shown``, named and drawn as ``frame`` says, all else in ``below``.
    """
    numbers, (name, picture) = range(1, num_frames + 1), frame
    frames, masks = data / "visual_frames" / shown, data / "gt_masks" / below / uid
    write_pictures(frames, name.format(uid, "{}.png"), numbers, picture)
    write_pictures(masks, f"{uid}_{{}}.png", numbers[:num_masks], lambda _: 255 * MASK)
    write_noise(data / "audio_wav" / below / f"{uid}.wav", num_frames, seed)
    pickled = data / "audio_log_mel" / below / f"{uid}.pkl"
    pickled.parent.mkdir(parents=True, exist_ok=True)
    pickled.write_bytes(pickle.dumps(log_mels(num_frames, seed)))


def write_rows(index: Path, *rows: str) -> Path:
    """A table, its header first."""
    index.parent.mkdir(parents=True, exist_ok=True)
    index.write_text("\n".join(rows) + "\n")
    return index


def _semantic(root: Path, subset: str) -> Tree:
    """AVSBench's semantic release; labels in dark red, number 1 of the VOC palette."""
    first_only = subset == "v1s"
    rows = ["vid,uid,s_min,s_sec,a_obj,split,label"]
    for n in range(3):
        folder = root / subset / f"c{n}_0_5000"
        rows.append(f"c{n},{folder.name},0,0,dog,train,{subset}")
        write_media(folder, NUM_FRAMES, n)
        write_masks(folder / "labels_rgb", 1 if first_only else NUM_FRAMES)
    index = write_rows(root / "avss_index" / "metadata.csv", *rows)
    (root / "label2idx.json").write_text('{"background": 0, "dog": 1}')
    node = dict(type="AVSBenchDataset", subset=subset)
    clip = root / subset / "c1_0_5000"
    paths = (clip / "frames", clip / "labels_rgb", clip / "audio.wav", index)
    return Tree(root, subset, node, *paths, f"{subset}/train", first_only=first_only)


def _object(root: Path, layout: str, audio: str) -> Tree:
    """AVSBench's object release."""
    s4, data, uid = layout == "s4", root / f"{layout}_data", "c1_0_5000"
    rows = ["name,category,split" if s4 else "video_id,split"]
    below = "train/dog" if s4 else "train"
    for n in range(3):
        name = f"c{n}_0_5000"
        rows.append(f"{name},dog,train" if s4 else f"{name},train")
        shown, num_masks = (f"{below}/{name}", 1) if s4 else (name, None)
        write_object_clip(data, name, below, shown, NUM_FRAMES, num_masks, seed=n)
    index = write_rows(root / f"{layout}_meta_data.csv", *rows)
    node = dict(type="AVSBenchObjectDataset", subset="v1s" if s4 else "v1m", audio=audio)
    folder, suffix = ("audio_wav", ".wav") if audio == "wav" else ("audio_log_mel", ".pkl")
    frames = data / "visual_frames" / (below if s4 else "") / uid
    masks, sound = data / "gt_masks" / below / uid, data / folder / below / f"{uid}{suffix}"
    name = f"object/{node['subset']}/train"
    return Tree(root, layout, node, frames, masks, sound, index, name, 1, s4)


def _ref_avs(root: Path) -> Tree:
    rows, clip = ["vid,uid,split,fid,exp"], "c1_0_10000"
    for n in range(3):
        video = f"c{n}_0_10000"
        rows.append(f"{video},{video}_dog_1,train,1,The dog.")
        write_media(root / "media" / video, NUM_FRAMES, n)
        write_masks(root / "gt_mask" / video / "fid_1", NUM_FRAMES, digits=5)
    index = write_rows(root / "metadata.csv", *rows)
    media, labels = root / "media" / clip, root / "gt_mask" / clip / "fid_1"
    paths = (media / "frames", labels, media / "audio.wav", index)
    return Tree(root, "ref_avs", dict(type="RefAVSDataset"), *paths, "ref_avs/train")


TREES: dict[str, Callable[[Path], Tree]] = {
    "v1s": lambda root: _semantic(root, "v1s"),
    "v1m": lambda root: _semantic(root, "v1m"),
    "v2": lambda root: _semantic(root, "v2"),
    "s4": lambda root: _object(root, "s4", "wav"),
    "ms3": lambda root: _object(root, "ms3", "wav"),
    "ms3_log_mel": lambda root: _object(root, "ms3", "log_mel"),
    "ref_avs": _ref_avs,
}
"""Every reader in every layout that it knows."""
