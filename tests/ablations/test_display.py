from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from ablations.display import BarDisplay, LineDisplay, make_display, own_console

from .conftest import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


def shown(console) -> str:
    return console.file.getvalue()


def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=110, color_system=None)


def test_lines_where_there_is_no_terminal(console, clock: Clock) -> None:
    with LineDisplay(4, 1, console, clock) as display:
        progress = display.run_started("none, seed 0")
        progress.start_run(4, 2)
        for epoch in (1, 1, 2, 2):
            progress.step(epoch, 2, "loss [0.5]")
        progress.finish_run()
        clock.now = 30.0
        display.run_finished("none, seed 0", "done", "test J 0.5")
    lines = [line.partition(" ")[2] for line in shown(console).splitlines()]
    assert lines == [
        "none, seed 0: started",
        "none, seed 0: 4 steps, 2 epochs",
        "none, seed 0: epoch 1/2, loss [0.5]",
        "none, seed 0: epoch 2/2, loss [0.5]",
        "none, seed 0: done, test J 0.5 [2/4, ETA 1:00]",
    ]


def test_bars_count_parts_of_running_runs(clock: Clock) -> None:
    with BarDisplay(4, 1, terminal(), clock) as display:
        first, second = display.run_started("a, seed 0"), display.run_started("b, seed 0")
        first.start_run(10, 1)
        second.start_run(4, 1)
        for _ in range(5):
            first.step(1, 1, "loss")
        second.step(1, 1, "loss")
        assert display.completed() == pytest.approx(1 + 0.5 + 0.25)
        clock.now = 75.0
        assert display.time_left(display.completed()) == "ETA 3:45"
        display.run_finished("a, seed 0", "done", "J 0.5")
        assert display.completed() == pytest.approx(2.25)
        assert [task.description for task in display.bars.tasks] == ["grid", "b, seed 0"]


def test_bars_say_what_happens(clock: Clock) -> None:
    console = terminal()
    with BarDisplay(2, 0, console, clock) as display:
        progress = display.run_started("sparse+dense, seed 1")
        progress.start_run(3, 3)
        progress.step(1, 3, "loss 2.50")
        display.bars.refresh()
        assert "sparse+dense, seed 1" in shown(console) and "epoch 1/3  loss 2.50" in shown(console)
        progress.step(2, 3, "loss 2.00")
        progress.step(3, 3, "loss 1.00")
        display.bars.refresh()
        assert "epoch 3/3  testing" in shown(console)
        display.run_finished("sparse+dense, seed 1", "failed", "ValueError: [red]x")
    assert "failed sparse+dense, seed 1: ValueError: [red]x" in shown(console)
    assert "1/2 runs" in shown(console)


def test_bars_fit_80_columns(clock: Clock) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)
    with BarDisplay(8, 2, console, clock) as display:
        for label in ("sparse+dense, seed 1", "CrossAttentionFusion(heads=2), levels=3, seed 0"):
            progress = display.run_started(label)
            progress.start_run(100, 8)
            progress.step(1, 8, "loss 22.00, val 0.345")
        clock.now = 10.0
        for _ in range(49):
            progress.step(1, 8, "loss 22.00, val 0.345")
        console.file.seek(0)
        console.file.truncate()
        display.bars.refresh()
        text = shown(console)
    assert "2/8 runs  ETA 1:48" in text and "━━" in text
    assert text.count("epoch 1/8  loss 22.00, val 0.345") == 2
    assert "sparse+dense, seed 1" in text and "CrossAttentionFusion(heads=2)…" in text


def test_runs_that_come_later_do_not_count(console, clock: Clock) -> None:
    with BarDisplay(2, 0, terminal(), clock) as bars:
        bars.run_started("a, seed 0")
        bars.run_left("a, seed 0", "another process has it")
        bars.say("waiting for 1 runs of others")
        assert bars.completed() == 0 and len(bars.bars.tasks) == 1
    assert "later  a, seed 0: another process has it" in shown(bars.bars.console)
    with LineDisplay(2, 0, console, clock) as lines:
        lines.run_started("a, seed 0")
        lines.run_left("a, seed 0", "another process has it")
        assert lines.finished == 0
    assert "a, seed 0: later, another process has it" in shown(console)


def test_no_estimate_before_anything_is_done(clock: Clock) -> None:
    display = BarDisplay(3, 2, terminal(), clock)
    assert display.time_left(display.completed()) == "ETA -:--"


def test_long_estimates_have_hours(clock: Clock) -> None:
    display = LineDisplay(11, 0, Console(file=io.StringIO()), clock)
    clock.now = 1000.0
    assert display.time_left(1) == "ETA 2:46:40"


def test_the_display_fits_where_it_writes(console) -> None:
    assert isinstance(make_display(1, 0, console), LineDisplay)
    assert isinstance(make_display(1, 0, terminal()), BarDisplay)


def test_own_console_survives_streams_without_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    own_console().print("x")
    assert sys.stdout.getvalue() == "x\n"
