"""Parts get what happens in them, less what happens in parts inside."""

from __future__ import annotations

from torch import nn

from auralsam2.engine.benchmark.ledger import Ledger
from auralsam2.engine.benchmark.meters import Meter


class Clock(Meter):
    """A clock that the program itself turns."""

    def __init__(self) -> None:
        self.now, self.last = 0, 0

    def lap(self) -> float:
        before, self.last = self.last, self.now
        return self.last - before

    def pass_by(self, ticks: int) -> int:
        self.now += ticks
        return ticks


class Worker:
    """Its parts call each other."""

    kind = "worker"

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def outer(self) -> int:
        return self.clock.pass_by(1) + self.inner() + self.clock.pass_by(3)

    def inner(self) -> int:
        return self.clock.pass_by(10)

    def fails(self) -> None:
        self.clock.pass_by(5)
        raise KeyError("in a part")


def test_a_part_has_its_own_less_what_is_inside() -> None:
    clock = Clock()
    worker, ledger = Worker(clock), Ledger()

    def run() -> None:
        clock.pass_by(100)
        assert worker.outer() + worker.outer() == 28
        worker.inner()

    with ledger.watching((worker, "outer", "o"), (worker, "inner", "i")):
        spent = ledger.measured(clock, "rest", run)
        assert list(spent.items()) == [("rest", 100), ("o", 8), ("i", 30)]
        assert worker.outer() == 14  # nothing is measured, so nothing is entered
        assert ledger.measured(clock, "rest", worker.inner) == {"rest": 0, "i": 10}
    assert vars(worker) == {"clock": clock}


def test_what_is_sealed_keeps_its_inside() -> None:
    clock = Clock()
    worker, ledger = Worker(clock), Ledger(sealed=("o",))
    with ledger.watching((worker, "outer", "o"), (worker, "inner", "i")):
        assert ledger.measured(clock, "rest", worker.outer) == {"rest": 0, "o": 14}


def test_a_part_that_raises_is_closed_and_everything_put_back() -> None:
    clock = Clock()
    worker, ledger = Worker(clock), Ledger()

    def run() -> None:
        try:
            worker.fails()
        except KeyError:
            clock.pass_by(7)

    with ledger.watching((worker, "fails", "f")):
        assert ledger.measured(clock, "rest", run) == {"rest": 7, "f": 5}
    assert "fails" not in vars(worker)


def test_what_an_owner_lacks_is_passed_over() -> None:
    worker, ledger = Worker(Clock()), Ledger()
    with ledger.watching((worker, "missing", "m"), (worker, "kind", "k"), (None, "x", "x")):
        assert worker.kind == "worker"
        assert not hasattr(worker, "missing")


def test_methods_of_classes_stay_methods() -> None:
    clock = Clock()
    ledger, own = Ledger(), Worker.__dict__["inner"]
    with ledger.watching((Worker, "inner", "i")):
        assert ledger.measured(clock, "rest", Worker(clock).outer) == {"rest": 4, "i": 10}
    assert Worker.__dict__["inner"] is own


def test_a_compiled_network_is_entered_around_its_compiled_call() -> None:
    clock, net, ledger = Clock(), nn.Identity(), Ledger()

    def compiled(value: int) -> int:
        return clock.pass_by(value)

    net._compiled_call_impl = compiled
    with ledger.watching((net, "forward", "net")):
        assert ledger.measured(clock, "rest", lambda: net(6)) == {"rest": 0, "net": 6}
    assert net._compiled_call_impl is compiled
