"""Ways of prompting take turns; what is told of them, on ways whose time is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn

from auralsam2.engine.benchmark import prompting
from auralsam2.engine.benchmark.prompting import CLICK, CLIP, FIRST, REST, SOUND, measure


class Clock:
    """A clock that goes on where it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(time, "process_time", lambda: 2 * self.now)


class Timed:
    """A way whose events take known seconds, an encoding one of them."""

    device = torch.device("cpu")

    def __init__(self, clock: Clock, log: list[Any], hears: bool, slow: float) -> None:
        self.clock, self.log, self.hears, self.slow = clock, log, hears, slow
        self.encoder = nn.Identity()
        self.closed = 0

    def encode(self, frames: int) -> None:
        self.encoder(torch.zeros(frames, 1))
        self.clock.now += 1.0

    def events(self) -> Iterator[tuple[str, Callable[[], None]]]:
        def happens(event: str, seconds: float, frames: int) -> Callable[[], None]:
            def run() -> None:
                self.log.append((self, event))
                if frames:
                    self.encode(frames)
                self.clock.now += seconds

            return run

        yield FIRST, happens(FIRST, 1.0, 1)
        yield CLIP, happens(CLIP, 2.0 + self.slow, 3)
        yield CLICK, happens(CLICK, 0.5, 0)
        yield REST, happens(REST, 3.0, 0)
        if self.hears:
            yield SOUND, happens(SOUND, 4.0, 0)

    def encoders(self) -> list[nn.Module]:
        return [self.encoder]

    def watched(self) -> Iterator[tuple[Any, str, str]]:
        yield self, "encode", "encode"

    def close(self) -> None:
        self.closed += 1


def test_what_is_told_of_two_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, log = Clock(monkeypatch), []
    ways = {"plain": Timed(clock, log, False, 0.0), "heard": Timed(clock, log, True, 5.0)}
    found = measure(ways, "plain", steps=2, warmup=1)
    plain, heard = found["plain"], found["heard"]
    # The clip's seconds are those of its first mask and of what follows.
    assert plain.seconds[CLIP].median == 5.0 and heard.seconds[CLIP].median == 10.0
    assert heard.cpu[CLIP].median == 20.0
    assert heard.passes == {FIRST: 1, CLIP: 4, CLICK: 0, REST: 0, SOUND: 0}
    # Half of the frames a second are lost, and nothing where both take as long.
    assert heard.lost[CLIP].median == heard.lost_cpu[CLIP].median == 0.5
    assert heard.lost[REST].median == 0.0 and set(plain.lost) == {FIRST, CLIP, CLICK, REST}
    assert SOUND not in heard.lost and SOUND not in plain.seconds
    assert heard.seconds[SOUND].median == 4.0
    assert {name: own.median for name, own in heard.parts.items()} == {"encode": 4.0, "other": 16.0}
    assert [way.closed for way in ways.values()] == [5, 5]


def test_they_take_turns_at_every_event_and_in_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, log = Clock(monkeypatch), []
    ways = {"a": Timed(clock, log, False, 0.0), "b": Timed(clock, log, True, 0.0)}
    monkeypatch.setattr(prompting, "_taken_apart", lambda way: {})
    measure(ways, "a", steps=2, warmup=0)
    names = {id(way): name for name, way in ways.items()}
    said = [(names[id(way)], event) for way, event in log]
    first = [(name, event) for event in (FIRST, CLIP, CLICK, REST) for name in "ab"]
    second = [(name, event) for event in (FIRST, CLIP, CLICK, REST) for name in "ba"]
    assert said == [*first, ("b", SOUND), *second, ("b", SOUND)]
