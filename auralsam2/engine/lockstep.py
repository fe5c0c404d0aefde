"""Several runs side by side in one process, on one reading and one encoding of every batch.

Every run has a thread, and one thread at a time goes on: that of the run which is the furthest
behind, by epoch, loop and batch, and of equal ones the first. So all take a batch before any takes
the next one, runs that are ahead wait for those that resume further back, and a step is never
interrupted: one graph is alive at a time. What threads would share is exchanged with the turn: the
global random states, mmengine's current instances, and whatever the caller adds.

A run gets the numbers that it gets alone: the order of clips and their augmentation are functions
of seed, epoch and place, and the pyramid is the one that its own equal encoder would give.
"""

from __future__ import annotations

import auralsam2.mmengine_fixes  # noqa: F401  (before all else of mmengine)

# isort: split

import ctypes
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.hooks import Hook
from torch import Tensor, nn

from auralsam2.engine.distributed import unwrapped
from auralsam2.mmengine_fixes import make_current
from auralsam2.models.feature_cache import LastAnswer
from auralsam2.models.methods.base import is_trained

Place = tuple[int, int, int]
"""Epoch, loop and batch; runs go through their places in ascending order."""
_START: Place = (-1, 0, 0)
_IMAGE_ENCODER = "backbone.network.image_encoder"
_VALIDATION, _TRAINING = 0, 1  # epoch e ends where the runner counts e + 1, before it trains that


class Lockstep:
    """What runs side by side share.

    Args:
        count: of the runs; nobody begins a batch before all of them have come to their first one.
    """

    def __init__(self, count: int) -> None:
        _allocate_in_one_place()
        self.count = count
        self.batches, self.encoder = SharedBatches(), SharedEncoder()
        self._places = dict.fromkeys(range(count), _START)
        self._changed = threading.Condition()
        self._stopped = False

    @contextmanager
    def member(
        self, index: int, make_on_turn: Callable[[], Callable[[], None]]
    ) -> Iterator[LockstepHook]:
        """Be one of the runs, in this thread; yields what the Runner of its training needs.

        Args:
            index: from 0.
            make_on_turn: called when it is this run's turn for the first time; what it makes is
                called then and whenever it is this run's turn again.

        Raises:
            KeyboardInterrupt: where all have been stopped, here or at a turn.
        """
        try:
            self.wait(index, _START)
            on_turn = make_on_turn()
            on_turn()
            yield LockstepHook(self, index, on_turn)
        finally:
            with self._changed:
                del self._places[index]
                self._changed.notify_all()

    def stop(self) -> None:
        """End all runs at their next turn, as an interrupt does."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def wait(self, index: int, place: Place) -> None:
        """Come to a place, and go on when no other run is further behind."""
        with self._changed:
            self._places[index] = place
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._stopped or self.is_next(index))
            if self._stopped:
                raise KeyboardInterrupt

    def is_next(self, index: int) -> bool:
        """Whether it is a run's turn."""
        return min((place, whose) for whose, place in self._places.items())[1] == index


def _allocate_in_one_place() -> None:
    """Let a thread use what another one has freed.

    The C library of most Linux systems gives every thread a store of its own, and what a step has
    freed would lie there once for each run.
    """
    with suppress(OSError, AttributeError, TypeError):  # another C library
        ctypes.CDLL(None).mallopt(-8, 1)  # M_ARENA_MAX


class SharedBatches:
    """The batch that all runs are at."""

    def __init__(self) -> None:
        self._place: Place | None = None
        self._batch: dict[str, Any] | Exception = {}
        self._iterator: Iterator[dict[str, Any]] = iter(())

    def take(self, place: Place, loader: Any) -> dict[str, Any]:
        """The batch of a place; ``loader`` belongs to whoever asks, and is read where it is first.

        What reading raises, it raises for every run.
        """
        if place != self._place:
            self._batch = {}  # freed before the next one is read
            if place[-1] == 0:
                self._iterator = iter(loader)
            assert place[-1] == 0 or self._place == (*place[:2], place[2] - 1)
            self._place = place
            try:
                self._batch = next(self._iterator)
            except Exception as error:
                self._batch = error
        if isinstance(self._batch, Exception):
            raise self._batch
        return dict(self._batch)  # hooks take entries out


def _parameters_of_encoder(model: nn.Module) -> set[int]:
    """Ids of the parameters of a model's image encoder, whatever a network names it inside."""
    network = getattr(getattr(model, "backbone", None), "network", None)
    encoder = getattr(network, "image_encoder", None)
    return set() if encoder is None else {id(p) for p in encoder.parameters()}


class SharedEncoder:
    """The last pyramid of the frozen image encoder that all runs have, and every frozen weight."""

    def __init__(self) -> None:
        self.weights: dict[str, Tensor] = {}
        self.pyramid = LastAnswer()

    def join(self, model: nn.Module) -> list[nn.Parameter]:
        """Let a model encode what nobody has encoded yet, and keep its frozen weights once for all.

        Where its image encoder is not the others', it goes on to encode by itself.

        Returns:
            The parameters whose memory others have too.
        """
        shared, missing, of_encoder = [], False, _parameters_of_encoder(model)
        for name, parameter in model.named_parameters():
            if not parameter.requires_grad and self._has(name, parameter):
                parameter.data = self.weights[name]
                shared.append(parameter)
            elif id(parameter) in of_encoder:
                missing = True
        if not missing and getattr(model, "feature_cache", False) is None:
            model.feature_cache = self.pyramid  # type: ignore[assignment]
        return shared

    def _has(self, name: str, parameter: nn.Parameter) -> bool:
        first, own = self.weights.setdefault(name, parameter.data), parameter.data
        return (first.shape, first.dtype, first.device) == (
            (own.shape, own.dtype, own.device)
        ) and torch.equal(first, own)


class LockstepHook(Hook):  # type: ignore[misc]
    """Lets a Runner take its batches and its encoder from a `Lockstep`."""

    priority = "VERY_HIGH"  # before anything runs through a loader

    def __init__(self, lockstep: Lockstep, index: int, on_turn: Callable[[], None]) -> None:
        self.lockstep, self.index, self.on_turn = lockstep, index, on_turn
        self.run_name = ""
        self._shared: list[nn.Parameter] = []

    def before_train(self, runner: Any) -> None:
        """Join the others."""
        self.run_name = runner.experiment_name
        self._shared = self.lockstep.encoder.join(unwrapped(runner.model))
        for loop, which in ((runner.train_loop, _TRAINING), (runner.val_loop, _VALIDATION)):
            loop.dataloader = _TakingTurns(loop.dataloader, which, self, runner)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Take leave of the others' weights where a hook lets frozen ones learn by now."""
        if learning := [p for p in self._shared if p.requires_grad]:
            for parameter in learning:
                parameter.data = parameter.data.clone()
            self._shared = [p for p in self._shared if not p.requires_grad]
            model = unwrapped(runner.model)
            if is_trained(model.get_submodule(_IMAGE_ENCODER)):
                model.feature_cache = None

    def turn(self, place: Place) -> None:
        """Let those who are behind go on first."""
        states = _RandomStates.now()
        self.lockstep.wait(self.index, place)
        states.restore()
        make_current(self.run_name)
        self.on_turn()


class _TakingTurns:
    """A run's loader, every batch of which is shared; else as the loader itself."""

    def __init__(self, loader: Any, which: int, hook: LockstepHook, runner: Any) -> None:
        self._loader, self._which, self._hook, self._runner = loader, which, hook, runner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        epoch = self._runner.epoch
        for batch in range(len(self)):
            place = (epoch, self._which, batch)
            self._hook.turn(place)
            yield self._hook.lockstep.batches.take(place, self._loader)
        self._hook.turn((epoch, self._which, len(self)))  # all are through before one goes on


class _RandomStates(NamedTuple):
    """Of the global generators."""

    python: Any
    numpy: Any
    torch: Tensor
    cuda: list[Tensor]

    @classmethod
    def now(cls) -> _RandomStates:
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
        return cls(random.getstate(), np.random.get_state(), torch.get_rng_state(), cuda)

    def restore(self) -> None:
        random.setstate(self.python)
        np.random.set_state(self.numpy)
        torch.set_rng_state(self.torch)
        if self.cuda:
            torch.cuda.set_rng_state_all(self.cuda)
