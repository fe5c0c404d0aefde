"""A ledger of parts: each has what was measured in it, less what was in the parts inside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any, TypeVar
from unittest.mock import patch

from torch import nn

from auralsam2.engine.benchmark.meters import Meter

Result = TypeVar("Result")


class Ledger:
    """Splits what a meter measures among parts that call each other.

    Args:
        sealed: parts that keep what the parts inside them spend, such as a backward pass, which
            computes again what is checkpointed.
    """

    def __init__(self, sealed: tuple[str, ...] = ()) -> None:
        self.sealed = sealed
        self._meter: Meter | None = None
        self._open: list[str] = []
        self._spent: dict[str, float] = {}

    def measured(self, meter: Meter, rest: str, run: Callable[[], object]) -> dict[str, float]:
        """Run something; what each part had of it, in the order in which they began or ended.

        Args:
            meter: of what is measured.
            rest: name of what happens in no part.
            run: called once.
        """
        self._meter, self._spent, self._open = meter, {}, [rest]
        meter.lap()
        try:
            run()
            self._lap()
        finally:
            self._meter = None
        return self._spent

    def counted(self, part: str, function: Callable[..., Result]) -> Callable[..., Result]:
        """The same function, whose calls are entered under a part while anything is measured."""

        def call(*arguments: Any, **options: Any) -> Result:
            if self._meter is None or self._open[-1] in self.sealed:
                return function(*arguments, **options)
            self._lap()
            self._open.append(part)
            try:
                return function(*arguments, **options)
            finally:
                self._lap()
                self._open.pop()

        return call

    def _lap(self) -> None:
        assert self._meter is not None
        part, now = self._open[-1], self._meter.lap()
        before = self._spent.get(part)
        self._spent[part] = now if before is None else self._meter.join(before, now)

    @contextmanager
    def watching(self, *watched: tuple[Any, str, str]) -> Iterator[None]:
        """Count the calls of ``(owner, attribute, part)`` within.

        An owner that lacks the attribute, or has no function there, is passed over. Of a network,
        ``forward`` is what its call computes, compiled or not.
        """
        with ExitStack() as stack:
            for owner, attribute, part in watched:
                stack.enter_context(self._replaced(owner, attribute, part))
            yield

    def _replaced(self, owner: Any, attribute: str, part: str) -> AbstractContextManager[Any]:
        compiled = "_compiled_call_impl"
        if attribute == "forward" and isinstance(owner, nn.Module) and getattr(owner, compiled):
            attribute = compiled
        function = getattr(owner, attribute, None)
        if not callable(function):
            return nullcontext()
        # Of a class, the raw attribute is what a call binds.
        raw = vars(owner).get(attribute, function) if isinstance(owner, type) else function
        return patch.object(owner, attribute, self.counted(part, raw))
