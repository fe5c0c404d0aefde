"""A benchmark of a small config: its parts make up the step; operations are those of torch."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch

from auralsam2.engine.benchmark.measure import _parts, benchmark
from auralsam2.engine.benchmark.meters import operation_counter
from auralsam2.engine.benchmark.report import Part, Reading, Report, Spread
from auralsam2.engine.evaluate import clip_loader
from auralsam2.engine.preflight import build

DATA = {"load", "read files", "decode image", "sound", "resize", "collate"}
MODEL = {"encode", "audio encoder", "fuser", "track", "mask decoder", "memory attention"}


@pytest.fixture(scope="module")
def config(load_tiny: Callable[[], Any]) -> Any:
    cfg = load_tiny()
    cfg.data.image_size, cfg.optim.accumulate, cfg.runtime.device = 64, 2, "cpu"
    return cfg


@pytest.fixture(scope="module")
def report(config: Any) -> Report:
    return benchmark(config, steps=3, warmup=0)


def test_every_kind_of_work_has_its_rows(report: Report) -> None:
    assert report.train is not None
    train, evaluation = set(report.train.parts), set(report.evaluation.parts)
    assert train >= {*DATA, *MODEL, "losses", "backward", "optimizer", "transfer", "other"}
    assert evaluation >= {*DATA, *MODEL, "results", "metrics", "other"}
    assert not evaluation & {"losses", "backward", "optimizer"}


def test_the_parts_make_up_the_step(report: Report) -> None:
    for reading in (report.train, report.evaluation):
        assert reading is not None
        assert sum(map(reading.share, reading.parts)) == pytest.approx(1)
        everything = sum(part.seconds.median for part in reading.parts.values())
        assert 0.5 * reading.total.median < everything < 2 * reading.total.median
        assert all(part.peak_bytes > 2**24 for part in reading.parts.values())


def test_steps_are_rounds_of_the_optimizers_turn(report: Report) -> None:
    assert report.train is not None
    assert report.train.steps == 4 and report.evaluation.steps == 3
    assert report.train.shape == (2, 3, 3, 64, 64)
    assert report.conditions["trained"]["audio_adapter"] == 32896


def test_operations_are_those_of_a_whole_pass(report: Report, config: Any) -> None:
    built = build(config)
    batch = next(iter(clip_loader(config, built.datasets["val"])))
    built.model.eval().feature_cache = None
    with torch.no_grad():
        built.model.val_step(batch)  # what is computed of weights once is no part of a pass
        with operation_counter() as counter:
            built.model.val_step(batch)
    counted = sum(part.operations for part in report.evaluation.parts.values())
    assert counted == pytest.approx(counter.get_total_flops() / 2, rel=1e-6, abs=20)


def test_an_optimizer_that_steps_every_other_time_counts_by_half(report: Report) -> None:
    steps = [{"backward": 2.0, "other": 0.5}, {"backward": 2.0, "optimizer": 3.0, "other": 0.5}]
    found = _parts(steps, {"backward": 8.0}, {"backward": 7.0}, peak=2.0, factors=(1.0, 0.5))
    assert list(found) == ["backward", "optimizer", "other"]
    assert found["optimizer"].seconds == Spread(1.5, 1.5, 1.5)
    assert found["backward"] == Part(Spread(2.0, 2.0, 2.0), 4, 1.0, 7)


def test_a_report_is_plain_numbers(report: Report) -> None:
    plain = json.loads(json.dumps(report.to_json()))
    assert report.train is not None
    encode = plain["train"]["parts"]["encode"]
    assert encode["seconds"]["median"] == report.train.parts["encode"].seconds.median
    assert plain["train"]["overhead"] == report.train.overhead


def test_overhead_is_what_measuring_adds() -> None:
    one = Spread.of([1.0, 2.0, 3.0])
    assert one == Spread(2.0, 1.5, 2.5)
    parts = {"a": Part(one, 0, 0.0, 3), "b": Part(one.times(3), 0, 0.0, 5)}
    reading = Reading("x", parts, one.times(1.1), one, one, 1.0, "float32", 3, (1,), "bytes")
    assert reading.overhead == pytest.approx(0.1)
    assert reading.share("b") == 0.75 and reading.peak_bytes == 5
