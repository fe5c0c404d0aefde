from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mmengine.config import Config
from rich.console import Console

from ablations.grids.file import Grid, load_grid
from ablations.grids.plan import Plan, make_plan


@pytest.fixture
def base_config(toy_config: Config, tmp_path: Path) -> Path:
    path = tmp_path / "toy.py"
    path.write_text(toy_config.pretty_text)
    return path


@pytest.fixture
def write_grid(base_config: Path) -> Callable[..., Grid]:
    """Write and load a grid file beside the toy config."""

    def write(name: str = "tiny", **stated: object) -> Grid:
        stated = {"base": "toy.py", **stated}
        text = "".join(f"{key} = {value!r}\n" for key, value in stated.items())
        path = base_config.parent / f"{name}.py"
        path.write_text(text)
        return load_grid(str(path))

    return write


@pytest.fixture
def named_grid(write_grid: Callable[..., Grid]) -> Callable[..., Grid]:
    """A grid whose cells have the given names and differ in their epochs."""

    def make(*names: str, **stated: object) -> Grid:
        values = [
            dict(name=name, set={"optim.epochs": count}) for count, name in enumerate(names, 1)
        ]
        return write_grid(axes=dict(way=values), **stated)

    return make


@pytest.fixture
def plan_of(tmp_path: Path) -> Callable[..., Plan]:
    """Plan a grid without data and weights."""

    def plan(grid: Grid, **arguments: object) -> Plan:
        defaults = {
            "out": tmp_path / "out",
            "check": lambda cfg: None,
            "fingerprint": lambda cfg: "data of " + cfg.data.root,
        }
        return make_plan(grid, **{**defaults, **arguments})

    return plan


@pytest.fixture
def fake_training(monkeypatch: pytest.MonkeyPatch):
    """The module of stand-ins, importable in child processes too."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "fakes"))
    import fake_training

    yield fake_training
    sys.modules.pop("fake_training", None)


@pytest.fixture
def console() -> Console:
    """A console that is no terminal and keeps what is written."""
    return Console(file=io.StringIO(), width=100)
