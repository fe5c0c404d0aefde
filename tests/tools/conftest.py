"""What tools read: a config of seconds with its clips, and finished runs."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from auralsam2 import config as configs
from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.engine import run_record


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


@pytest.fixture(scope="session")
def write_scored() -> Callable[..., None]:
    """Write the record of a finished run, named as its folder."""

    def write(
        run_dir: Path, scores: Mapping[str, Mapping[str, Mapping[str, float]]], **fields: object
    ) -> None:
        """``scores``: split -> metric -> clip -> value; ``fields`` of the record."""
        cell = run_dir.name
        stated = {"run_id": cell, "config_hash": cell, "data_fingerprint": "d", **fields}
        record = run_record.start(name=cell, axes={}, seed=0, **stated)
        for split, metrics in scores.items():
            means = {name: sum(clips.values()) / len(clips) for name, clips in metrics.items()}
            run_record.add_scores(record, split, means, metrics)
        run_record.write(run_record.finish(record, 1.0), run_dir)

    return write
