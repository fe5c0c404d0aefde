"""Measure ways of prompting that take turns: seconds of what happens, encoder passes, parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import torch
from torch import nn

from auralsam2.engine.benchmark import parts
from auralsam2.engine.benchmark.ledger import Ledger
from auralsam2.engine.benchmark.meters import CoreSeconds, Seconds
from auralsam2.engine.benchmark.report import Answered, Spread

FIRST, CLIP, CLICK, REST, SOUND = EVENTS = "first mask", "clip", "click", "rest", "sound"
"""Events, see `Answered`."""
HEARD_AGAIN = "encode with sound"
"""Part of a second encoding, whose insides are its own."""


class Way(Protocol):
    """One way of prompting, on a clip that is its own."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    def events(self) -> Iterable[tuple[str, Callable[[], None]]]:
        """What happens, in order; the clip goes on where the first mask is there."""

    def encoders(self) -> Sequence[nn.Module]:
        """Whose passes are counted."""

    def watched(self) -> Iterable[parts.Watched]:
        """Calls that are parts."""

    def close(self) -> None:
        """Give back what was opened."""


class Round(NamedTuple):
    """One turn of one way, by event."""

    seconds: dict[str, float]  # by the clock
    cpu: dict[str, float]  # seconds of all cores
    passes: dict[str, float]  # frames that went through an image encoder


def measure(
    ways: Mapping[str, Way], reference: str, steps: int, warmup: int
) -> dict[str, Answered]:
    """Let ways take turns at every event, each round beginning with another one.

    Args:
        ways: by name, on the same clip.
        reference: whose frames a second the others lose.
        steps: rounds that are timed; in each, a clip of every way is also taken apart.
        warmup: rounds before them.
    """
    names = list(ways)
    rounds: list[dict[str, Round]] = []
    apart: list[dict[str, dict[str, float]]] = []
    for number in range(warmup + steps):
        turn = number % len(names)
        order = {name: ways[name] for name in [*names[turn:], *names[:turn]]}
        found = _round(order)
        if number >= warmup:
            rounds.append(found)
            apart.append({name: _taken_apart(way) for name, way in order.items()})
    return {
        name: _answered(
            [turns[name] for turns in rounds],
            [turns[reference] for turns in rounds],
            [turns[name] for turns in apart],
        )
        for name in names
    }


def _round(ways: Mapping[str, Way]) -> dict[str, Round]:
    found = {name: Round({}, {}, {}) for name in ways}
    events = {name: dict(way.events()) for name, way in ways.items()}
    for event in EVENTS:
        for name, way in ways.items():
            if event in events[name]:
                _run(event, events[name][event], way, found[name])
    for name, way in ways.items():
        way.close()
        for values in found[name]:
            values[CLIP] += values[FIRST]
    return found


def _run(event: str, happens: Callable[[], None], way: Way, found: Round) -> None:
    seconds, cpu, counted = Seconds(way.device), CoreSeconds(), [0]
    with _counting(way.encoders(), counted):
        seconds.lap()
        cpu.lap()
        happens()
        found.seconds[event], found.cpu[event] = seconds.lap(), cpu.lap()
    found.passes[event] = counted[0]


@contextmanager
def _counting(encoders: Sequence[nn.Module], counted: list[int]) -> Iterator[None]:
    """Count the frames that go through encoders within."""

    def count(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        counted[0] += len(inputs[0])

    handles = [encoder.register_forward_pre_hook(count) for encoder in encoders]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _taken_apart(way: Way) -> dict[str, float]:
    """Seconds of the clip's parts: of the cores where they compute it, else by the clock."""
    ledger = Ledger(sealed=(HEARD_AGAIN,))
    events = dict(way.events())

    def clip() -> None:
        events[FIRST]()
        events[CLIP]()

    meter = CoreSeconds() if way.device.type == "cpu" else Seconds(way.device)
    with ledger.watching(*way.watched()):
        found = ledger.measured(meter, parts.REST, clip)
    way.close()
    return found


def _answered(
    rounds: list[Round], reference: list[Round], apart: list[dict[str, float]]
) -> Answered:
    def lost(kind: str) -> dict[str, Spread]:
        pairs = list(zip(rounds, reference, strict=True))
        found = {}
        for event in getattr(reference[0], kind):
            taken = [(getattr(own, kind)[event], getattr(ref, kind)[event]) for own, ref in pairs]
            found[event] = Spread.of([1 - ref / own for own, ref in taken])
        return found

    def spread(kind: str) -> dict[str, Spread]:
        return {e: Spread.of([getattr(r, kind)[e] for r in rounds]) for e in rounds[0].seconds}

    names = dict.fromkeys([*(n for turn in apart for n in turn if n != parts.REST), parts.REST])
    return Answered(
        seconds=spread("seconds"),
        cpu=spread("cpu"),
        passes=rounds[0].passes,
        lost=lost("seconds"),
        lost_cpu=lost("cpu"),
        parts={name: Spread.of([turn.get(name, 0.0) for turn in apart]) for name in names},
    )
