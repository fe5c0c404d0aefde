"""Measure a training step and an evaluated clip of a config, part by part."""

from __future__ import annotations

import auralsam2.mmengine_fixes  # noqa: F401  (before all else of mmengine)

# isort: split

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.optim import build_optim_wrapper

from auralsam2.data.collate import SKIPPED
from auralsam2.engine.benchmark import parts
from auralsam2.engine.benchmark.ledger import Ledger
from auralsam2.engine.benchmark.meters import (
    Operations,
    PeakMemory,
    Seconds,
    machine,
    operation_counter,
    peak_operations,
)
from auralsam2.engine.benchmark.report import Part, Reading, Report, Spread
from auralsam2.engine.evaluate import clip_loader, frames_encoded_once, nothing_kept
from auralsam2.engine.hooks.step_seed_hook import seed_step
from auralsam2.engine.preflight import Built, build
from auralsam2.engine.runner import optimizer_node
from auralsam2.registry import DATASETS, METRICS
from auralsam2.signature import parameters_of


def benchmark(cfg: Config, steps: int = 5, warmup: int = 2) -> Report:
    """Measure where time, operations and memory of a config go on its device.

    A step is a batch; with ``optim.accumulate`` they are measured in rounds of so many, so that
    the optimizer has its turn. A round whose operations are counted goes first, then the warm-up,
    then rounds as they are and rounds with readings in turn, and one that reads memory last.
    Clips are read anew in this process and encoded anew, as in a first epoch.

    Args:
        cfg: a loaded config.
        steps: batches that are timed, at least; as many more are run as they are.
        warmup: batches before them.

    Raises:
        ValueError: where config, data and machine do not go together; FileNotFoundError where
            weights or data are missing.
    """
    cfg = _read_anew(cfg)
    built = build(cfg)
    ledger = Ledger(sealed=(parts.BACKWARD,))
    with nothing_kept(built.model):
        trains = any(p.requires_grad for p in built.model.parameters())
        train = _Training(cfg, built, ledger).reading(steps, warmup) if trains else None
        evaluation = _Evaluation(cfg, built, ledger).reading(steps, warmup)
    return Report(train, evaluation, _conditions(cfg, built))


def _read_anew(cfg: Config) -> Config:
    """The config with clips that are read in this process and not kept, and nothing to test."""
    data = cfg.data.to_dict()
    data |= dict(num_workers=0, test={})
    for split in ("train", "val"):
        node = data[split]
        if "cache" in parameters_of(DATASETS.lookup(node["type"])).known:
            node.setdefault("cache", False)
    evaluation = {**cfg.evaluation.to_dict(), "counterfactuals": ()}
    return Config({**cfg.to_dict(), "data": data, "evaluation": evaluation})


class _Measured:
    """A stretch that is run again and again on new batches."""

    name = ""
    split = ""
    dtype = torch.float32

    def __init__(self, cfg: Config, built: Built, ledger: Ledger) -> None:
        self.cfg, self.built, self.ledger = cfg, built, ledger
        loader = clip_loader(cfg, built.datasets[self.split])
        loader.pin_memory = built.device.type == "cuda"
        loader.collate_fn = ledger.counted("collate", loader.collate_fn)
        self.batches = _endless(loader)
        self.next = ledger.counted("load", lambda: next(self.batches))
        self.round = 1
        self.shape: tuple[int, ...] = ()

    def watched(self) -> Iterator[parts.Watched]:
        """Calls that are parts."""
        yield from parts.of_data()
        yield from parts.of_model(self.built.model)

    def run(self) -> None:
        """One step."""

    def reading(self, steps: int, warmup: int) -> Reading:
        """What is measured of each part, a step."""
        device, rounds = self.built.device, -(-steps // self.round)
        operations, seconds, memory = self._operations(), Seconds(device), PeakMemory(device)
        for _ in range(warmup):
            self.run()
        plain: list[tuple[float, float]] = []
        timed: list[dict[str, float]] = []
        for _ in range(rounds):
            plain.append(self._plain(seconds))
            with self.ledger.watching(*self.watched()):
                timed += [self._measured(seconds, self.run) for _ in range(self.round)]
        with self.ledger.watching(*self.watched()):
            largest = self._measured(memory, self._round)
        peak = peak_operations(device, self.dtype)
        of_steps = [sum(step.values()) for step in timed]
        totals = np.reshape(of_steps, (rounds, self.round)).sum(axis=1)
        per_step = 1 / (self.round * self.clips_of_one)
        return Reading(
            name=self.name,
            parts=_parts(timed, operations, largest, peak, (1 / self.clips_of_one, per_step)),
            total=Spread.of(totals).times(per_step),
            plain=Spread.of([wall for wall, _ in plain]).times(per_step),
            cpu=Spread.of([cpu for _, cpu in plain]).times(per_step),
            peak_operations=peak,
            dtype=_precision(self.dtype, device),
            steps=len(timed),
            shape=self.shape,
            memory=memory.what,
        )

    @property
    def clips_of_one(self) -> int:
        """Numbers are those of a batch divided by this."""
        return 1

    def _operations(self) -> dict[str, float]:
        # Compiled code would not be seen; the operations are the same.
        compiled = self.cfg.runtime.get("compile", False)
        eager = torch.compiler.set_stance("force_eager") if compiled else nullcontext()
        with eager, operation_counter() as counter, self.ledger.watching(*self.watched()):
            return self._measured(Operations(counter), self._round)

    def _plain(self, seconds: Seconds) -> tuple[float, float]:
        """Seconds of a round as it is, by the clock and of all cores."""
        seconds.lap()
        before = time.process_time()
        self._round()
        return seconds.lap(), time.process_time() - before

    def _round(self) -> None:
        for _ in range(self.round):
            self.run()

    def _measured(self, meter: Any, run: Callable[[], None]) -> dict[str, float]:
        return self.ledger.measured(meter, parts.REST, run)


class _Training(_Measured):
    """A batch through loader, model, losses and optimizer, as the training loop does it."""

    name, split = "training step", "train"

    def __init__(self, cfg: Config, built: Built, ledger: Ledger) -> None:
        super().__init__(cfg, built, ledger)
        self.wrapper = build_optim_wrapper(built.model, optimizer_node(cfg, built.device))
        self.round, self.step = cfg.optim.accumulate, 0
        self.dtype = getattr(torch, cfg.optim.amp or "float32")

    def watched(self) -> Iterator[parts.Watched]:
        """Also the optimizer's calls."""
        yield from super().watched()
        yield from parts.of_optimizer(self.wrapper)

    def run(self) -> None:
        """One batch; the optimizer steps where its turn has come."""
        model = self.built.model.train()
        batch = self.next()
        self.shape = tuple(batch["frames"].shape)
        seed_step(model, self.cfg.seed, self.step)
        self.step += 1
        model.train_step(batch, self.wrapper)


class _Evaluation(_Measured):
    """A batch through loader, model and metrics, without gradients."""

    name, split = "evaluated clip", "val"

    def __init__(self, cfg: Config, built: Built, ledger: Ledger) -> None:
        super().__init__(cfg, built, ledger)
        self.metrics = [METRICS.build(node) for node in cfg.evaluation.metrics]
        self.evaluator = Evaluator(self.metrics)

    def watched(self) -> Iterator[parts.Watched]:
        """Also the metrics."""
        yield from super().watched()
        yield from parts.of_metrics(self.metrics)

    @property
    def clips_of_one(self) -> int:
        """Those of a batch."""
        return self.shape[0]

    def run(self) -> None:
        """One batch, whose frames nobody has encoded before."""
        model = self.built.model.eval()
        batch = self.next()
        self.shape = tuple(batch["frames"].shape)
        with torch.no_grad(), frames_encoded_once(model):
            self.evaluator.process(model.val_step(batch), batch)


def _precision(dtype: torch.dtype, device: torch.device) -> str:
    """How a device multiplies numbers of a type in this process."""
    as_tf32 = device.type == "cuda" and torch.get_float32_matmul_precision() != "highest"
    name = str(dtype).removeprefix("torch.")
    return f"{name} (as TF32)" if as_tf32 and dtype == torch.float32 else name


def _endless(loader: Any) -> Iterator[dict[str, Any]]:
    """Whole batches of a loader, again from the beginning where they end."""
    size = min(loader.batch_size, len(loader.dataset))
    while True:
        for batch in loader:
            batch.pop(SKIPPED, None)
            if len(batch["clip"]) == size:
                yield batch


def _parts(
    timed: Sequence[Mapping[str, float]],
    operations: Mapping[str, float],
    memory: Mapping[str, float],
    peak: float,
    factors: tuple[float, float],
) -> dict[str, Part]:
    """The parts in the order of a step; what is not in every batch counts by its share of them.

    ``factors`` are those of a batch's seconds and of a round's operations.
    """
    names = dict.fromkeys(name for step in timed for name in step)
    found = {}
    for name in [*(n for n in names if n != parts.REST), parts.REST]:
        own = [step[name] for step in timed if name in step]
        seconds = Spread.of(own).times(factors[0] * len(own) / len(timed))
        count = int(operations.get(name, 0) * factors[1])
        found[name] = Part(seconds, count, count / seconds.median / peak, int(memory.get(name, 0)))
    return found


def _conditions(cfg: Config, built: Built) -> dict[str, Any]:
    return {
        **machine(built.device),
        "image_size": cfg.data.image_size,
        "batch_size": cfg.data.batch_size,
        "accumulate": cfg.optim.accumulate,
        "amp": cfg.optim.amp,
        "trained": {
            name: count
            for name, module in built.model.named_children()
            if (count := sum(p.numel() for p in module.parameters() if p.requires_grad))
        },
    }
