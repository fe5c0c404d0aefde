"""A config of seconds and its clips, for the tools that train and score."""

from collections.abc import Callable
from pathlib import Path

import pytest
from auralsam2_tools.__main__ import main
from mmengine.config import Config

import ablations.grids.plan
import ablations.runs.run_cell
from auralsam2 import config as configs
from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.engine import run_record


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a subcommand that ends with ``status``, and return what it prints, errors included."""

    def run(*words: object, status: int = 0) -> str:
        capfd.readouterr()
        try:
            ended = main([str(word) for word in words])
        except SystemExit as stop:
            ended = int(stop.code or 0)
        told = "".join(capfd.readouterr())
        assert ended == status, told
        return told

    return run


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


@pytest.fixture
def toy_grid(
    toy_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Path]:
    """Write a grid of cells with one epoch more each; a stand-in scores 0.25 for every epoch.

    The cell named "boom" fails; that named "high" is better by ``by_seed`` and ``by_clip`` times
    the number of the seed and of the clip, modulo 3.
    """
    how = dict(num_clips=1, by_seed=0.0, by_clip=0.0, seconds=1.0)

    def train(cfg, run_dir, *, name, axes, run_id, progress):
        if name == "boom":
            raise RuntimeError("the fuse is burnt")
        stated = dict(name=name, axes=axes, seed=cfg.seed, run_id=run_id)
        record = run_record.start(**stated, config_hash="c", data_fingerprint="d")
        high = name == "high"
        value = 0.25 * cfg.optim.epochs + how["by_seed"] * (cfg.seed % 3) * high
        clips = range(how["num_clips"])
        scores = {f"clip{n}": value + how["by_clip"] * (n % 3) * high for n in clips}
        run_record.add_scores(record, "test", {"J": value}, {"J": scores})
        run_record.write(run_record.finish(record, how["seconds"]), run_dir)
        return record

    def write(*names: str, stated: str = "", **changes: float) -> Path:
        how.update(changes)
        monkeypatch.setattr(ablations.runs.run_cell, "_engine_train", lambda: train)
        monkeypatch.setattr(ablations.grids.plan, "_preflight", lambda: lambda cfg: None)
        monkeypatch.setattr(ablations.grids.plan, "data_fingerprint", lambda cfg: "d")
        (tmp_path / "toy.py").write_text(toy_config.pretty_text)
        cells = [dict(name=n, set={"optim.epochs": e}) for e, n in enumerate(names, start=1)]
        text = f"base = 'toy.py'\naxes = dict(way={cells!r})\nout = {str(tmp_path / 'out')!r}\n"
        (tmp_path / "grid.py").write_text(text + stated)
        return tmp_path / "grid.py"

    return write
