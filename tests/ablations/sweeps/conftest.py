from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ablations.executors.local import InlineExecutor
from ablations.options import Options
from ablations.sweeps.presence import Presence
from ablations.sweeps.run_sweep import SweepResult, run_sweep
from ablations.sweeps.search_space import SweepError, parse_space
from ablations.sweeps.storage import StorageAddress
from ablations.sweeps.study import SweepStudy
from ablations.sweeps.sweep_file import Sweep, load_sweep
from auralsam2.registry import METRICS

LR = dict(type="float", low=1e-4, high=1e-2, log=True)
FUSION = dict(
    type="categorical", choices=[dict(type="SumFusion", num_heads=2), dict(type="GateFusion")]
)
SPACE = {
    "optim.optimizer.lr": LR,
    "model.fusion": FUSION,
    "model.fusion.num_heads": dict(type="int", low=1, high=8, when={"model.fusion": ["SumFusion"]}),
}


def space_problems(raw: dict[str, Any]) -> str:
    """Return what is wrong with a space, a line each."""
    with pytest.raises(SweepError) as error:
        parse_space(raw)
    return "\n".join(error.value.problems)


def in_threads(*calls: Callable[[], object]) -> None:
    """Make all calls at once, and wait until they have ended."""
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture
def scored_components(toy_components: None) -> None:
    """The toys with metrics that have names."""

    @METRICS.register_module(force=True)
    class ToyMetric:
        def __init__(self, beta2=0.3) -> None:
            self.name, self.higher_is_better = "J", True

    @METRICS.register_module()
    class ToyError:
        def __init__(self) -> None:
            self.name, self.higher_is_better = "F", False


@pytest.fixture
def write_sweep(scored_components: None, base_config: Path, tmp_path: Path) -> Callable[..., Sweep]:
    """Write and load a sweep file beside the toy config, which has four epochs."""

    def write(name: str = "toy_sweep", arguments: dict[str, Any] | None = None, **stated: object):
        stated = {
            "base": "toy.py",
            "space": SPACE,
            "objectives": [dict(metric="J")],
            "sampler": dict(type="tpe", n_startup_trials=3),
            "pruner": "none",
            "sampler_seed": 5,
            **stated,
        }
        stated["overrides"] = {"optim.epochs": 4, "optim.optimizer.lr": 1e-3} | dict(
            stated.get("overrides", {})
        )
        path = base_config.parent / f"{name}.py"
        path.write_text("".join(f"{key} = {value!r}\n" for key, value in stated.items()))
        return load_sweep(str(path), **{"out": tmp_path / "out", **(arguments or {})})

    return write


@pytest.fixture
def fake_trials(monkeypatch: pytest.MonkeyPatch):
    """The module of stand-ins, importable in child processes too."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "fakes"))
    # After every run; the fakes leave nothing to collect, and the rest of the suite does.
    monkeypatch.setattr("ablations.runs.run_cell.gc.collect", lambda: 0)
    import fake_trials

    yield fake_trials
    sys.modules.pop("fake_trials", None)


@pytest.fixture
def open_study() -> Callable[..., SweepStudy]:
    """Open the study of a sweep as one more driver."""

    def call(sweep: Sweep, storage: str | None = None) -> SweepStudy:
        address = StorageAddress.of(storage, sweep.out)
        return SweepStudy(sweep, address, Presence(address.beside / "drivers"), lambda cfg: "data")

    return call


@pytest.fixture
def drive(fake_trials, console: Console) -> Callable[..., SweepResult]:
    """Run a sweep with the fake training, in this process."""

    def call(sweep: Sweep, num_trials: int, storage=None, executor=None, **options: Any):
        return run_sweep(
            sweep,
            StorageAddress.of(storage, sweep.out),
            executor or InlineExecutor(),
            num_trials,
            Options(**options),
            console=console,
            work=fake_trials.work,
            fingerprint=lambda cfg: "data",
        )

    return call
