"""Seconds, operations and memory are what they say."""

from __future__ import annotations

import time

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import sdpa_backward_flop_count, sdpa_flop_count

from auralsam2.engine.benchmark import meters
from auralsam2.engine.benchmark.meters import (
    CoreSeconds,
    Operations,
    PeakMemory,
    Seconds,
    forget_peak,
    operation_counter,
    peak_operations,
    process_peak,
)
from auralsam2.models.linear import linear

CPU = torch.device("cpu")


def test_seconds_between_laps() -> None:
    meter = Seconds(CPU)
    meter.lap()
    time.sleep(0.02)
    assert 0.02 <= meter.lap() < 1
    assert meter.join(1.0, 2.0) == 3.0


def test_core_seconds_are_those_of_work() -> None:
    meter = CoreSeconds()
    meter.lap()
    time.sleep(0.05)
    assert meter.lap() < 0.04
    end = time.process_time() + 0.02
    while time.process_time() < end:
        pass
    assert 0.02 <= meter.lap() < 1


def test_operations_of_products_convolutions_and_attention() -> None:
    left, right = torch.ones(3, 4), torch.ones(4, 5)
    heads = torch.ones(2, 4, 16, 8, requires_grad=True)
    with operation_counter() as counter:
        meter = Operations(counter)
        meter.lap()
        left @ right
        assert meter.lap() == 2 * 3 * 4 * 5
        linear(torch.ones(2, 300, 256), torch.ones(512, 256), torch.ones(512))
        assert meter.lap() == 2 * 600 * 256 * 512
        F.conv2d(torch.ones(1, 2, 6, 6), torch.ones(7, 2, 3, 3))
        assert meter.lap() == 2 * (7 * 4 * 4) * (2 * 3 * 3)
        attended = F.scaled_dot_product_attention(heads, heads, heads)
        shape = heads.shape
        assert meter.lap() == sdpa_flop_count(shape, shape, shape) > 0
        attended.sum().backward()
        assert meter.lap() == sdpa_backward_flop_count(shape, shape, shape, shape) > 0


@pytest.mark.parametrize("convolve", [torch.nn.Conv2d, torch.nn.ConvTranspose2d])
@pytest.mark.parametrize("groups", [1, 4])
def test_a_convolution_goes_back_by_two_of_its_size(convolve, groups: int) -> None:
    layer, maps = convolve(8, 12, 3, stride=2, groups=groups), torch.ones(2, 8, 9, 9)
    for learns, times in ((True, 2), (False, 1)):
        layer.requires_grad_(learns)
        with operation_counter() as counter:
            meter = Operations(counter)
            found = layer(maps.clone().requires_grad_())
            meter.lap()
            forward = counter.get_total_flops()
            found.sum().backward()
            assert meter.lap() == times * forward > 0
    with operation_counter() as counter:
        convolve(8, 12, 3, stride=2)(maps)
    assert counter.get_total_flops() == groups * forward


def test_operations_of_views_of_parameters_without_gradients() -> None:
    inner = torch.nn.Linear(4, 4, bias=False)
    start = torch.nn.Parameter(torch.ones(1, 4))
    with torch.no_grad(), operation_counter() as counter:
        inner(start.expand(3, -1))
    assert counter.get_total_flops() == 2 * 3 * 4 * 4


def test_the_peak_of_a_stretch_begins_anew() -> None:
    if not forget_peak():
        pytest.skip("this system does not let a peak begin anew")
    meter, size = PeakMemory(CPU), 2**28
    meter.lap()
    before = meter.lap()
    torch.zeros(size, dtype=torch.uint8).fill_(1)
    assert meter.lap() >= before + 0.9 * size
    assert meter.lap() < before + 0.5 * size
    assert meter.join(3, 2) == 3


def test_where_the_system_tells_no_peak_that_of_the_process_counts(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = process_peak()
    monkeypatch.setattr(meters, "_PROCESS", tmp_path / "missing")
    assert not forget_peak()
    assert process_peak() >= 0.5 * there


def test_the_peak_of_a_device_is_that_of_a_product() -> None:
    assert 1e8 < peak_operations(CPU, torch.float32) < 1e14
