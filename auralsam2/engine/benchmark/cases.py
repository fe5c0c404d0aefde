"""What is benchmarked: a config as a user asks for it, once or with several sizes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.logging import MMLogger

from auralsam2 import config as configs
from auralsam2.engine.benchmark.measure import benchmark
from auralsam2.engine.benchmark.report import Report
from auralsam2.engine.benchmark.stand_ins import synthetic_clips, without_weights
from auralsam2.engine.benchmark.table import Table, conditions, tables
from auralsam2.engine.preflight import check
from auralsam2.messages import unknown_name
from auralsam2.registry import load_all

FRAMES = "frames"
AXES = {"clips": "data.batch_size", "image_size": "data.image_size", FRAMES: ""}
"""Axis -> the key of the config that it varies; frames are those of the synthetic clips."""
FORECAST = "memory of a training step on a GPU, forecast:"

AS_IT_IS = ""
"""Name of the axis, and of its one value, where nothing is varied."""


class Shown(NamedTuple):
    """What a benchmark says."""

    heading: str
    tables: Iterable[Table]
    plain: dict[str, Any]  # the numbers, by a key of the kind of benchmark


Found = tuple[str, dict[str, Report]]
"""An axis, and what was found with each of its values."""


class Asked(NamedTuple):
    """What a user asks for."""

    config: str  # name or path
    overrides: Mapping[str, Any]  # dotted keys
    synthetic: bool  # clips are written for it
    random_weights: bool  # files of weights are left out

    def load(self, overrides: Mapping[str, Any]) -> Config:
        """The config with further overrides."""
        given = {**self.overrides, **overrides}
        cfg = configs.load(self.config, given)
        if not self.random_weights:
            return cfg
        return configs.load(self.config, {**dict(without_weights(cfg.model.to_dict())), **given})

    def weights_needed(self) -> AbstractContextManager[None]:
        """Say of missing files within how to go without."""
        return _another_way(
            "" if self.random_weights else "(--random-weights measures without them)"
        )


@contextmanager
def _another_way(said: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError("\n".join(filter(None, (str(error), said)))) from error


def axes_of(scale: Sequence[str]) -> dict[str, list[int]]:
    """Values by axis of ``AXIS=N,N,...``.

    Raises:
        ValueError: listing all that is no axis, or no list of whole numbers of at least 1.
    """
    problems, found = [], {}
    for text in scale:
        axis, _, values = text.partition("=")
        if axis not in AXES:
            problems.append(f"--scale: {unknown_name('axis', axis, sorted(AXES))}")
        elif not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", values):
            problems.append(f"--scale got {text!r}, wanted whole numbers, such as {axis}=1,2,4")
        else:
            found[axis] = [int(value) for value in values.split(",")]
    if problems:
        raise ValueError("\n".join(problems))
    return found


def measured(
    asked: Asked, axes: Mapping[str, Sequence[int]], steps: int, warmup: int
) -> Iterator[Found]:
    """Benchmark a config as it is, or with every value of every axis, one axis at a time.

    Raises:
        ValueError: where frames are varied and clips are not synthetic; see also `benchmark`.
    """
    if FRAMES in axes and not asked.synthetic:
        raise ValueError(f"--scale {FRAMES}: the clips are as long as they are; add --synthetic")
    load_all()
    MMLogger.get_instance("benchmark").setLevel("ERROR")  # it lists every frozen weight
    if not axes:
        yield AS_IT_IS, {AS_IT_IS: _one(asked, {}, None, steps, warmup)}
    for axis, values in axes.items():
        key, reports = AXES[axis], {}
        for value in values:
            overrides, frames = ({key: value}, None) if key else ({}, value)
            reports[str(value)] = _one(asked, overrides, frames, steps, warmup)
        yield axis, reports


def steps_shown(
    asked: Asked, axes: Mapping[str, Sequence[int]], steps: int, warmup: int
) -> Iterator[Shown]:
    """What `measured` finds, axis by axis."""
    cases: list[dict[str, Any]] = []
    for axis, reports in measured(asked, axes, steps, warmup):
        values = {value: report.to_json() for value, report in reports.items()}
        cases.append({"axis": axis, "values": values})
        heading = conditions(next(iter(reports.values())))
        yield Shown(heading, tables(axis, reports), {"measured": list(cases)})


def forecast_shown(asked: Asked) -> Iterator[Shown]:
    """The table of forecast memory; neither data nor weights are read."""
    from auralsam2.engine.memory_forecast import forecast_table

    load_all()
    table = ("by precision, and the GPUs that suffice", forecast_table(asked.load({})), [])
    yield Shown(FORECAST, [table], {})


def _one(
    asked: Asked, overrides: Mapping[str, Any], frames: int | None, steps: int, warmup: int
) -> Report:
    cfg = asked.load(overrides)
    with asked.weights_needed():
        check(cfg)
    if not asked.synthetic:
        with _another_way("(--synthetic measures on clips of this layout)"):
            return benchmark(cfg, steps, warmup)
    with synthetic_clips(cfg, frames) as root:
        cfg.data.root = root
        return benchmark(cfg, steps, warmup)
