"""Six synthetic clips, and a tiny object release of AVSBench."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.registry import DATASETS

from ..trees import write_object_clip, write_rows

GREY = ("{}_{}", lambda number: np.full((24, 32, 3), 20 * number, np.uint8))
S4 = {"name": ("d.g_1_2", "cat_0"), "category": ("dog_barking", "cat"), "split": ("train", "test")}
MS3 = {"video_id": ("many_1", "more_2"), "split": ("train", "val")}


NODE = dict(type="AVSBenchDataset", split="test")


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six clips to test on; read only."""
    path = tmp_path_factory.mktemp("six") / "clips"
    write_clips(path, Plan("v1m", (1, 1, 6), seed=2, size=40, num_frames=3))
    return path


def plain(root: Path, node: Any = NODE) -> Any:
    """The data set of a node."""
    return DATASETS.build(node, root=str(root), image_size=16)


@pytest.fixture
def object_root(tmp_path: Path) -> Path:
    """S4 and MS3 of two clips each, 24 x 32 px; sound as pickles and as wav files."""
    root = tmp_path / "AVSBench"
    for uid, category, split in zip(*S4.values(), strict=True):
        below, num_masks = f"{split}/{category}", 1 if split == "train" else 5
        write_object_clip(root / "s4_data", uid, below, f"{below}/{uid}", 5, num_masks, GREY)
    for uid, split in zip(*MS3.values(), strict=True):
        frame = ("{}.mp4_{}", GREY[1])
        write_object_clip(root / "ms3_data", uid, split, uid, 5, frame=frame)
    for name, columns in (("s4", S4), ("ms3", MS3)):
        rows = (",".join(row) for row in zip(*columns.values(), strict=True))
        write_rows(root / f"{name}_meta_data.csv", ",".join(columns), *rows)
    return root


@pytest.fixture
def put_log_mel(object_root: Path) -> Callable[[Any], Path]:
    """Return a function that puts a value in place of a training clip's log-mels."""
    path = object_root / "ms3_data" / "audio_log_mel" / "train" / "many_1.pkl"

    def put(value: Any) -> Path:
        path.write_bytes(value if isinstance(value, bytes) else pickle.dumps(value))
        return path

    return put
