"""Try a config before days are spent on it: one training step, one validation batch."""

from __future__ import annotations

import math
import time
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper

from auralsam2.devices import check_amp, pick_device
from auralsam2.engine import evaluate as evaluation
from auralsam2.engine.hooks.step_seed_hook import step_seed
from auralsam2.engine.preflight import check
from auralsam2.engine.runner_settings import optimizer_node
from auralsam2.engine.selection import check_selection
from auralsam2.registry import METRICS, load_all


class FirstStep(NamedTuple):
    """What trying a config has shown.

    Attributes:
        seconds: all in all.
        gpu_bytes: largest memory that was allocated; 0 without a GPU.
    """

    seconds: float
    gpu_bytes: int


def first_step(cfg: Config) -> FirstStep:
    """Build data, model and optimizer of a config, train on one batch, score one batch of val.

    Nothing is written. The batch is as large as in training, so that a GPU that is too small
    shows; what grows over an epoch, such as a memory bank, does not.

    Args:
        cfg: a loaded and validated config.

    Raises:
        FloatingPointError: where the loss is not a number.
        Exception: whatever the parts raise.
    """
    started = time.monotonic()
    check(cfg)
    load_all()
    if cfg.runtime.num_threads:
        torch.set_num_threads(cfg.runtime.num_threads)
    device = pick_device(cfg.runtime.device)
    check_amp(cfg.optim.amp, device)
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(device)
    train = evaluation.build_dataset(cfg, cfg.data.train, cfg.seed, training=True)
    val = evaluation.build_dataset(cfg, cfg.data.val)
    check_selection(cfg, val)
    evaluation.test_datasets(cfg)
    model = evaluation.build_model(cfg).to(device)
    if any(p.requires_grad for p in model.parameters()):
        _train(model, cfg, _batch(cfg, train))
    _score(model, cfg, _batch(cfg, val))
    memory = torch.cuda.max_memory_allocated(device) if on_gpu else 0
    return FirstStep(time.monotonic() - started, memory)


def _batch(cfg: Config, dataset: Any) -> dict[str, Any]:
    batch: dict[str, Any] = next(iter(evaluation.clip_loader(cfg, dataset)))
    batch.pop("skipped", None)
    return batch


def _train(model: Any, cfg: Config, batch: dict[str, Any]) -> None:
    torch.manual_seed(step_seed(cfg.seed, 0))
    model.generator.manual_seed(step_seed(cfg.seed, 0))
    model.train()
    losses = model.train_step(batch, build_optim_wrapper(model, optimizer_node(cfg)))
    loss = float(losses["loss"].detach())
    if not math.isfinite(loss):
        raise FloatingPointError(f"the loss of the first step is {loss}")


def _score(model: Any, cfg: Config, batch: dict[str, Any]) -> None:
    model.eval()
    with torch.no_grad():
        results = model.val_step(batch)
    for node in cfg.evaluation.metrics:
        METRICS.build(node).process(batch, results)
