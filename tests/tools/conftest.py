"""A config of seconds and its clips, for the tools that train and score."""

from collections.abc import Callable
from pathlib import Path

import pytest

from auralsam2 import config as configs
from auralsam2.data.synthetic.writer import Plan, write_clips


@pytest.fixture(scope="session")
def write_tiny() -> Callable[..., Path]:
    """Write clips into a folder, and beside them a config that reads them; its path."""

    def write(folder: Path, counts: tuple[int, int, int], seed: int, **overrides: object) -> Path:
        write_clips(folder / "clips", Plan("v1m", counts, seed=seed, size=48, num_frames=2))
        tiny = {
            "data.root": str(folder / "clips"),
            "data.batch_size": 2,
            "runtime.num_threads": 1,
            "model.backbone": dict(type="SAM2Backbone", size="mini", random_weights=True),
            "model.audio_encoder": dict(type="LogMelCNN", width=8),
            "model.visual_depths": (0, 0, 1),
        }
        configs.dump(
            configs.load("auralsam2/mini_v1m", {**tiny, **overrides}), folder / "config.py"
        )
        return folder / "config.py"

    return write
