"""Small trees of every layout that are healthy until a test damages them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from auralsam2.data.checking.check import Report

from ..trees import write_object_clip, write_rows


@pytest.fixture
def voc_root(avsbench_tree: Callable[..., Path]) -> Path:
    """Eighteen V1M clips of 3 frames, coloured as ``label2idx.json`` says."""
    root = avsbench_tree([("v1m", "train", 3, 3)])
    uid = "v1m-{}_0_5000"
    for number in range(1, 18):
        shutil.copytree(root / "v1m" / uid.format(0), root / "v1m" / uid.format(number))
    rows = [f"v1m-{n},{uid.format(n)},0,0,dog,train,v1m" for n in range(1, 18)]
    add_rows(root / "avss_index" / "metadata.csv", *rows)
    (root / "label2idx.json").write_text(json.dumps({"background": 0, "dog": 1}))
    return root


@pytest.fixture
def object_root(tmp_path: Path) -> Path:
    """S4 and MS3, eight clips each of 3 frames; sound as pickles and as recordings."""
    root = tmp_path / "object"
    uids = [f"clip{number}_0_3000" for number in range(8)]
    for uid in uids:
        write_object_clip(root / "s4_data", uid, "test/dog", f"test/dog/{uid}", 3)
        write_object_clip(root / "ms3_data", uid, "test", uid, 3)
    s4, ms3 = (f"{uid},dog,test" for uid in uids), (f"{uid},test" for uid in uids)
    write_rows(root / "s4_meta_data.csv", "name,category,split", *s4)
    write_rows(root / "ms3_meta_data.csv", "video_id,split", *ms3)
    return root


@pytest.fixture
def places() -> Callable[[Report], dict[str, list[str]]]:
    """Return a function that gives the places of each kind, dull notes left out."""

    def of(report: Report) -> dict[str, list[str]]:
        dull = ("counts_differ", "frames_differ", "unknown_palette", "missing_split")
        # Clips of the trees above are copies of one another.
        dull += ("same_frames_across_splits", "same_sound_across_splits")
        found = report.groups.items()
        return {kind: [f.where for f in group] for kind, group in found if kind not in dull}

    return of


def empty(folder: Path, pattern: str) -> None:
    """Delete files of a folder."""
    for path in folder.glob(pattern):
        path.unlink()


def write_picture(path: Path, height: int = 24, width: int = 32, corner: int = 0) -> None:
    """Replace a picture by dark red with a corner of another level."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[4:12] = (0, 0, 128)
    picture[:2, :2] = corner
    cv2.imwrite(str(path), picture)


def write_colours(path: Path) -> None:
    """Replace a label of 24 x 32 px by as many colours as it has pixels."""
    colours = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
    cv2.imwrite(str(path), colours)


def cut(path: Path) -> None:
    """Drop the second half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def add_rows(index: Path, *rows: str) -> None:
    """Append rows to an index."""
    index.write_text(index.read_text() + "\n".join(rows) + "\n")
