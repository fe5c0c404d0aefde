"""A small healthy tree for every reader, whose middle clip a test may damage."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import soundfile

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
    """

    root: Path
    layout: str
    node: dict[str, Any]
    frames: Path
    labels: Path
    sound: Path
    index: Path
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
    return np.broadcast_to(rows + number, (HEIGHT, WIDTH, 3)).copy()


def _pictures(folder: Path, name: str, numbers: range, picture: Callable[[int], Any]) -> None:
    folder.mkdir(parents=True)
    for number in numbers:
        cv2.imwrite(str(folder / name.format(number)), picture(number))


def _sound(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).uniform(-0.1, 0.1, NUM_FRAMES * 16_000)
    soundfile.write(path, noise, 16_000)


def _semantic(root: Path, subset: str) -> Tree:
    """AVSBench's semantic release; labels in dark red, number 1 of the VOC palette."""
    first_only = subset == "v1s"
    colour = MASK[..., None] * np.array([0, 0, 128], np.uint8)  # blue, green, red
    rows = ["vid,uid,s_min,s_sec,a_obj,split,label"]
    for n in range(3):
        uid, folder = f"c{n}_0_5000", root / subset / f"c{n}_0_5000"
        rows.append(f"c{n},{uid},0,0,dog,train,{subset}")
        _pictures(folder / "frames", "{}.jpg", range(NUM_FRAMES), _frame)
        count = 1 if first_only else NUM_FRAMES
        _pictures(folder / "labels_rgb", "{}.png", range(count), lambda _: colour)
        _sound(folder / "audio.wav", n)
    index = root / "avss_index" / "metadata.csv"
    index.parent.mkdir()
    index.write_text("\n".join(rows) + "\n")
    (root / "label2idx.json").write_text('{"background": 0, "dog": 1}')
    node = dict(type="AVSBenchDataset", subset=subset)
    clip = root / subset / "c1_0_5000"
    paths = (clip / "frames", clip / "labels_rgb", clip / "audio.wav", index)
    return Tree(root, subset, node, *paths, first_only=first_only)


def _object(root: Path, layout: str, audio: str) -> Tree:
    """AVSBench's object release; masks in white, numbers from 1."""
    s4 = layout == "s4"
    data, rows = root / f"{layout}_data", ["name,category,split" if s4 else "video_id,split"]
    below = "train/dog" if s4 else "train"
    shown = data / "visual_frames" / (below if s4 else "")
    masks, numbers = data / "gt_masks" / below, range(1, NUM_FRAMES + 1)
    for n in range(3):
        uid = f"c{n}_0_5000"
        rows.append(f"{uid},dog,train" if s4 else f"{uid},train")
        _pictures(shown / uid, f"{uid}_{{}}.png", numbers, _frame)
        labelled = numbers[:1] if s4 else numbers
        _pictures(masks / uid, f"{uid}_{{}}.png", labelled, lambda _: 255 * MASK)
        _sound(data / "audio_wav" / below / f"{uid}.wav", n)
        examples = np.random.default_rng(n).uniform(-4, 2, (NUM_FRAMES, 1, 96, 64))
        pickled = data / "audio_log_mel" / below / f"{uid}.pkl"
        pickled.parent.mkdir(parents=True, exist_ok=True)
        pickled.write_bytes(pickle.dumps(examples.astype(np.float32)))
    index = root / f"{layout}_meta_data.csv"
    index.write_text("\n".join(rows) + "\n")
    node = dict(type="AVSBenchObjectDataset", subset="v1s" if s4 else "v1m", audio=audio)
    folder, suffix = ("audio_wav", ".wav") if audio == "wav" else ("audio_log_mel", ".pkl")
    uid = "c1_0_5000"
    sound = data / folder / below / f"{uid}{suffix}"
    return Tree(root, layout, node, shown / uid, masks / uid, sound, index, 1, s4)


def _ref_avs(root: Path) -> Tree:
    rows = ["vid,uid,split,fid,exp"]
    for n in range(3):
        video = f"c{n}_0_10000"
        rows.append(f"{video},{video}_dog_1,train,1,The dog.")
        _pictures(root / "media" / video / "frames", "{}.jpg", range(NUM_FRAMES), _frame)
        masks = root / "gt_mask" / video / "fid_1"
        _pictures(masks, "{:05d}.png", range(NUM_FRAMES), lambda _: 255 * MASK)
        _sound(root / "media" / video / "audio.wav", n)
    index = root / "metadata.csv"
    index.write_text("\n".join(rows) + "\n")
    media = root / "media" / "c1_0_10000"
    labels = root / "gt_mask" / "c1_0_10000" / "fid_1"
    node = dict(type="RefAVSDataset")
    return Tree(root, "ref_avs", node, media / "frames", labels, media / "audio.wav", index)


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
