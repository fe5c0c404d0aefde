from __future__ import annotations

import math

import pytest

from ablations.sweeps.objectives import (
    NoValueError,
    Objective,
    metric_directions,
    parse_objectives,
)
from ablations.sweeps.search_space import SweepError
from auralsam2 import config
from auralsam2.engine.run_record import RunRecord


@pytest.fixture
def cfg(scored_components, base_config):
    metrics = [dict(type="ToyMetric"), dict(type="ToyError")]
    return config.load(str(base_config), {"evaluation.metrics": metrics})


def test_directions_come_from_the_metric_and_the_measure(cfg) -> None:
    names = ("J", "F", "num_trainable", "fps")
    found = parse_objectives([dict(metric=name) for name in names], cfg)
    assert [o.direction for o in found] == ["maximize", "minimize", "minimize", "maximize"]
    assert [o.is_score for o in found] == [True, True, False, False]


def test_all_problems_at_once(cfg) -> None:
    wrong = [
        (dict(metric="JJ"), "metric: unknown metric 'JJ'; did you mean 'J'?"),
        (dict(metric="J", split="test"), "split: got 'test'; a sweep chooses on 'val' only"),
        (dict(metric="J", direction="up"), "direction: got 'up', wanted maximize or minimize"),
        (dict(metric="J", goal=1), "unknown key 'goal'"),
        ("J", "got 'J', wanted dict(metric=..., direction=...)"),
    ]
    raw = [stated for stated, _ in wrong]
    with pytest.raises(SweepError) as error:
        parse_objectives([*raw, dict(metric="F"), dict(metric="F")], cfg)
    said = "\n".join(error.value.problems)
    assert "objectives: F stands more than once" in said
    assert [p for n, (_, p) in enumerate(wrong) if f"objectives, number {n}: {p}" not in said] == []


def test_speed_must_be_measured(cfg) -> None:
    cfg.evaluation.measure_speed = False
    with pytest.raises(SweepError, match="fps needs evaluation.measure_speed = True"):
        parse_objectives([dict(metric="fps")], cfg)


def test_values_of_a_record() -> None:
    record = RunRecord(
        best_epoch=2,
        selection={"split": "val", "metric": "J", "value": 0.7},
        curve=[
            {"epoch": 1, "split": "val", "scores": {"J": 0.6, "F": 0.9}},
            {"epoch": 2, "split": "val", "scores": {"J": 0.7, "F": 0.8}},
        ],
        num_parameters={"total": 9, "trainable": 4},
        speed={"decoder_fps": 12.5},
    )
    read = {name: Objective(name, "maximize").value(record) for name in ("J", "F")}
    assert read == {"J": 0.7, "F": 0.8}  # of the selected epoch, not the best of each
    assert Objective("num_trainable", "minimize").value(record) == 4
    assert Objective("decoder_fps", "maximize").value(record) == 12.5
    with pytest.raises(NoValueError, match="holds no 'fps'; is evaluation.measure_speed off"):
        Objective("fps", "maximize").value(record)
    with pytest.raises(NoValueError, match="holds no 'G'"):
        Objective("G", "maximize").value(record)
    record.selection["value"] = math.nan
    with pytest.raises(NoValueError, match="J is nan"):
        Objective("J", "maximize").value(record)


def test_a_direction_against_the_metrics_own_is_refused(cfg) -> None:
    for metric, own in metric_directions(cfg).items():
        other = {"maximize": "minimize", "minimize": "maximize"}[own]
        assert parse_objectives([dict(metric=metric, direction=own)], cfg)
        with pytest.raises(SweepError, match=f"got '{other}', yet {metric} says '{own}' of itself"):
            parse_objectives([dict(metric=metric, direction=other)], cfg)
