"""Trackers are given who a run is, send nothing unasked, and may fail while the run goes on."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest
from mmengine.config import Config
from mmengine.visualization.vis_backend import BaseVisBackend

from auralsam2.engine import trackers
from auralsam2.engine.preflight import setting_problems
from auralsam2.engine.trackers import RunLabels, backends, run_labels
from auralsam2.engine.train import train
from auralsam2.registry import RUN_TRACKERS

OURS = ("WandbTracker", "MLflowTracker", "AimTracker", "ClearMLTracker", "SwanLabTracker")


class Recorder(ModuleType):
    """Stands for a tracker's library: answers every call, and remembers it."""

    def __init__(self, name: str, calls: list[tuple[str, dict[str, Any]]]) -> None:
        super().__init__(name)
        self.calls = calls

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Recorder(f"{self.__name__}.{name}", self.calls)

    def __call__(self, *arguments: Any, **named: Any) -> Recorder:
        given = {str(i): value for i, value in enumerate(arguments)} | named
        self.calls.append((self.__name__, given))
        return Recorder(f"{self.__name__}()", self.calls)

    def __setitem__(self, key: str, value: Any) -> None:
        self.calls.append((f"{self.__name__}[]", {key: value}))


@pytest.fixture
def labels(tmp_path: Path) -> RunLabels:
    return RunLabels("demo", "sparse", 3, {"prompts": "sparse"}, "abc-1", tmp_path)


@pytest.mark.parametrize("name", OURS)
def test_every_tracker_names_its_run_and_shows_its_numbers(
    name: str, labels: RunLabels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, dict[str, Any]]] = []
    kind = RUN_TRACKERS.lookup(name)
    monkeypatch.setitem(sys.modules, kind.library, Recorder(kind.library, calls))
    tracker = RUN_TRACKERS.build({"type": name}, save_dir=str(tmp_path / "vis"), labels=labels)
    tracker.add_config(Config({"seed": 3}))
    tracker.add_scalars({"J": 0.5}, 2, "scalars.json")  # as mmengine's visualizer calls it
    tracker.close()
    text = repr(calls)
    for told in ("'demo'", "sparse, seed 3", "0.5"):
        assert told in text, (told, text)
    online = {"WandbTracker": "'mode': 'offline'", "SwanLabTracker": "'mode': 'offline'"}
    assert online.get(name, "") in text
    if name == "ClearMLTracker":
        assert ("clearml.Task.set_offline", {"0": True}) in calls
        assert ("clearml.Task.set_random_seed", {"0": None}) in calls


def test_a_run_in_a_grid_is_grouped_by_the_grids_folder(tmp_path: Path) -> None:
    record = SimpleNamespace(name="sparse", seed=1, axes={"prompts": "sparse"}, run_id="abc")
    of_grid = run_labels(tmp_path / "demo" / "runs" / "sparse-s1-abc", record)  # type: ignore[arg-type]
    assert (of_grid.grid, of_grid.run, of_grid.shared) == (
        "demo",
        "sparse, seed 1",
        tmp_path / "demo",
    )
    assert of_grid.tags == {"prompts": "sparse", "seed": "1"}
    assert run_labels(tmp_path / "work" / "mine", record).grid == "work"  # type: ignore[arg-type]


def test_labels_go_to_those_who_take_them_only(labels: RunLabels) -> None:
    nodes = [{"type": "WandbTracker"}, {"type": "TensorboardVisBackend"}]
    cfg = Config({"runtime": {"trackers": nodes, "tensorboard": False}})
    own, ours, theirs = backends(cfg, labels)
    assert own == {"type": "LocalVisBackend"}
    assert ours["node"]["labels"] is labels
    assert theirs["node"] == {"type": "TensorboardVisBackend"}
    alone = backends(Config({"runtime": {"tensorboard": True}}), labels)
    assert alone == [own, {"type": "TensorboardVisBackend"}]


def test_missing_libraries_are_told_before_a_run(
    tiny_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    tiny_config.runtime.trackers = [{"type": "AimTracker"}, {"type": "WandbTracker"}]
    problems = setting_problems(tiny_config)
    assert problems == [
        "runtime.trackers.0: AimTracker needs aim: pip install aim",
        "runtime.trackers.1: WandbTracker needs wandb: pip install wandb",
    ]


class Unreachable(BaseVisBackend):
    """A tracker whose server is gone after the first epoch."""

    calls: ClassVar[list[str]] = []

    @property
    def experiment(self) -> None:
        return None

    def _init_env(self) -> None:
        pass

    def add_config(self, config: Config, **_: Any) -> None:
        self.calls.append("add_config")

    def add_scalars(self, scalar_dict: dict[str, Any], step: int = 0, *_: Any, **__: Any) -> None:
        self.calls.append("add_scalars")
        raise ConnectionError("no route to host")

    def close(self) -> None:
        self.calls.append("close")
        raise ConnectionError("nobody there")


def test_a_run_goes_on_without_a_tracker_that_fails(
    tiny_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RUN_TRACKERS.module_dict, "Unreachable", Unreachable)
    tiny_config.runtime.trackers = [{"type": "Unreachable"}]
    tiny_config.optim.epochs = 1
    assert train(tiny_config, tmp_path / "run").status == "done"
    assert Unreachable.calls[:2] == ["add_config", "add_scalars"]
    assert set(Unreachable.calls[2:]) == {"close"}, "asked no more, and let go of"
    (log,) = (tmp_path / "run").rglob("*.log")
    told = "goes on without Unreachable, which has failed: ConnectionError: no route to host"
    assert log.read_text().count(told) == 1 and "nobody there" not in log.read_text()
