"""Fixtures of the data tests: a tiny data set on disk, and numbers of the released front end."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load

from auralsam2.data.synthetic.writer import Plan, write_clips

from .trees import write_masks, write_media, write_rows

SHARED = Path(__file__).parents[4] / "shared"
TINY = Plan("v1m", (3, 2, 4), seed=5, size=40)


@pytest.fixture(scope="session")
def tiny_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine clips of 40 px; read only."""
    root = tmp_path_factory.mktemp("tiny") / "clips"
    assert write_clips(root, TINY)
    return root


@pytest.fixture
def own_root(tiny_root: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(tiny_root, tmp_path / "own"))


@pytest.fixture(scope="session")
def audio_parity() -> tuple[dict[str, Any], dict[str, Any]]:
    """Facts and arrays of the released front end."""
    path = SHARED / "parity" / "audio_features.safetensors.gz"
    if not path.is_file():
        pytest.skip("numbers of the released code are not at ../shared/parity/" + path.name)
    facts = json.loads(path.with_name("audio_features.json").read_text())
    return facts, load(gzip.decompress(path.read_bytes()))


@pytest.fixture(scope="session")
def photographs() -> Path:
    """Photographs in the layouts of AVSBench and of Ref-AVS; read only."""
    if not (SHARED / "stamps").is_dir():
        pytest.skip("clips of photographs are not at ../shared/stamps")
    return SHARED / "stamps"


@pytest.fixture
def avsbench_tree(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes clips of (subset, split) with their numbers of labels."""

    def write(clips: list[tuple[str, str, int, int]]) -> Path:
        root = tmp_path / "AVSBench"
        rows = ["vid,uid,s_min,s_sec,a_obj,split,label"]
        for number, (subset, split, num_frames, num_labels) in enumerate(clips):
            uid = f"{subset}-{number}_0_5000"
            rows.append(f"{subset}-{number},{uid},0,0,dog,{split},{subset}")
            folder = root / subset / uid
            write_media(folder, num_frames, level=40 * number)
            write_masks(folder / "labels_rgb", num_labels)
        write_rows(root / "avss_index" / "metadata.csv", *rows)
        return root

    return write


@pytest.fixture
def ref_root(tmp_path: Path) -> Path:
    """Two videos to train on (one of them null), and one to test each of seen and null."""
    root = tmp_path / "REFAVS"
    rows = [
        ("vidA_0_10000", "vidA_0_10000_dog_1", "train", "1", "The dog, heard first."),
        ("vidA_0_10000", "vidA_0_10000_dog_2", "train", "1", "The dog on the left."),
        ("vidA_0_10000", "vidA_0_10000_cat_1", "train", "2", "The silent cat."),
        ("vidN_0_10000", "null_m-vidN_0_10000_null_1", "train", "0", "The sounding object"),
        ("vidS_0_10000", "vidS_0_10000_dog_1", "test_s", "1", "The dog."),
        ("vidT_0_10000", "null_c-vidT_0_10000_null_1", "test_n", "0", "The loudest object"),
        ("vidA_0_10000", "vidA_0_10000_dog_9", "TODO", "1", "The dog."),
    ]
    quoted = (f'{",".join(row[:4])},"{row[4]}"' for row in rows)
    write_rows(root / "metadata.csv", "vid,uid,split,fid,exp", *quoted)
    videos = ("vidA_0_10000", "null_m-vidN_0_10000", "vidS_0_10000", "null_c-vidT_0_10000")
    for number, video in enumerate(videos):
        write_media(root / "media" / video, 3, level=60 + 20 * number)
    for name in ("vidA_0_10000/fid_1", "vidA_0_10000/fid_2", "vidS_0_10000/fid_1"):
        write_masks(root / "gt_mask" / name, 3, top=int(name[-1]), digits=5)
    return root
