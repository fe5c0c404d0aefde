"""A run does not die of its tracker's network."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from mmengine.config import Config
from mmengine.visualization.vis_backend import BaseVisBackend

from auralsam2.engine.train import train
from auralsam2.registry import RUN_TRACKERS


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
