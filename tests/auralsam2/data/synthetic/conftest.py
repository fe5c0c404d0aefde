"""Clips in every layout, written once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from auralsam2.data.synthetic.writer import Plan, write_clips

SIZE = 32
PLANS = {
    "v1s": Plan("v1s", (2, 1, 2), seed=6, size=SIZE),
    "v1m": Plan("v1m", (2, 1, 1), seed=8, size=SIZE),
    "v2": Plan("v2", (2, 1, 2), seed=6, size=SIZE, num_frames=10),
    "ref_avs": Plan("ref_avs", (8, 1, 1, 1, 2), seed=2, size=SIZE, num_frames=6, unseen=3),
    "video": Plan("video", (2,), seed=4, size=64, num_frames=34, num_classes=8, fps=5),
}


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives the folder of a layout's clips; read only."""

    @cache
    def write(layout: str) -> Path:
        if layout == "video":
            pytest.importorskip("av", reason="PyAV (extra 'video') is not installed")
        root = tmp_path_factory.mktemp(layout) / "clips"
        assert write_clips(root, PLANS[layout])
        return root

    return write
