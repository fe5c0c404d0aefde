from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config
from rich.console import Console

from ablations.executors.local import InlineExecutor
from ablations.grids.file import Grid, load_grid
from ablations.grids.plan import Plan, PlannedRun, make_plan
from ablations.options import Options
from ablations.run_grid import GridResult, run_grid
from ablations.runs import claims
from auralsam2.engine.progress import Forwarding


class Clock:
    """A clock that stands where it is put, and goes on by a step at every look."""

    def __init__(self, step: float = 0.0) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


class Heard(Forwarding):
    """Keeps what a run tells."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def forward(self, call: str, *arguments: Any) -> None:
        self.calls.append((call, arguments))


def until(condition: Callable[[], Any], seconds: float = 120) -> Any:
    """Wait for something, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
    return found


def labels(runs: Iterable[PlannedRun]) -> list[str]:
    return [run.label for run in runs]


def claim_elsewhere(run_dir: Path, **changes: object) -> claims.ClaimState:
    """Claim a run as a living process of another machine would."""
    claim = claims.acquire(run_dir)
    owner = replace(claim.owner, machine="elsewhere", host="node7")
    claims.write(run_dir, replace(claim, owner=owner, **changes))
    return claims.newest(run_dir)


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
def drive(named_grid, plan_of, fake_training, console: Console) -> Callable[..., GridResult]:
    """Plan and run cells of these names with the fake training, in this process."""

    def call(
        *names: str,
        work=fake_training.work,
        executor=None,
        seeds=(0,),
        overrides=None,
        **options,
    ) -> GridResult:
        grid = named_grid(*names, seeds=list(seeds))
        plan = plan_of(grid, overrides=overrides)
        executor, options = executor or InlineExecutor(), Options(**options)
        return run_grid(grid, plan, executor, options, work=work, console=console)

    return call


@pytest.fixture
def console() -> Console:
    """A console that is no terminal and keeps what is written."""
    return Console(file=io.StringIO(), width=100)
