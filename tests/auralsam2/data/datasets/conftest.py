"""A tiny object release of AVSBench on disk."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import soundfile

S4 = {"name": ("d.g_1_2", "cat_0"), "category": ("dog_barking", "cat"), "split": ("train", "test")}
MS3 = {"video_id": ("many_1", "more_2"), "split": ("train", "val")}


def log_mels(num_frames: int = 5, seed: int = 0) -> np.ndarray:
    """(T, 1, 96, 64) between silence and a loud tone."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-4.6, 3, (num_frames, 1, 96, 64)).astype(np.float32)


@pytest.fixture
def object_root(tmp_path: Path) -> Path:
    """S4 and MS3 of two clips each, 24 x 32 px; sound as pickles and as wav files."""
    root = tmp_path / "AVSBench"
    for uid, category, split in zip(*S4.values(), strict=True):
        below = f"{split}/{category}"
        _clip(root / "s4_data", uid, f"{below}/{uid}", below, 1 if split == "train" else 5, "{}_{}")
    for uid, split in zip(*MS3.values(), strict=True):
        _clip(root / "ms3_data", uid, uid, split, 5, "{}.mp4_{}")
    _index(root / "s4_meta_data.csv", S4)
    _index(root / "ms3_meta_data.csv", MS3)
    return root


@pytest.fixture
def put_log_mel(object_root: Path) -> Callable[[Any], Path]:
    """Return a function that puts a value in place of a training clip's log-mels."""
    path = object_root / "ms3_data" / "audio_log_mel" / "train" / "many_1.pkl"

    def put(value: Any) -> Path:
        path.write_bytes(value if isinstance(value, bytes) else pickle.dumps(value))
        return path

    return put


def _index(path: Path, columns: dict[str, tuple[str, ...]]) -> None:
    rows = [",".join(row) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join([",".join(columns), *rows]) + "\n")


def _clip(data: Path, uid: str, shown: str, below: str, num_masks: int, frame_name: str) -> None:
    label = np.zeros((24, 32), np.uint8)
    label[4:12] = 255
    for folder in (f"visual_frames/{shown}", f"gt_masks/{below}/{uid}"):
        (data / folder).mkdir(parents=True)
    for n in range(1, 6):
        frame = np.full((24, 32, 3), 20 * n, np.uint8)
        cv2.imwrite(str(data / "visual_frames" / shown / f"{frame_name.format(uid, n)}.png"), frame)
        if n <= num_masks:
            cv2.imwrite(str(data / "gt_masks" / below / uid / f"{uid}_{n}.png"), label)
    for folder in ("audio_log_mel", "audio_wav"):
        (data / folder / below).mkdir(parents=True, exist_ok=True)
    (data / "audio_log_mel" / below / f"{uid}.pkl").write_bytes(pickle.dumps(log_mels()))
    noise = np.random.default_rng(1).uniform(-0.1, 0.1, (5 * 16_000, 2))
    soundfile.write(data / "audio_wav" / below / f"{uid}.wav", noise, 16_000)
