"""A config in mmengine's words: loaders, optimizer, schedule, checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.config import Config

from auralsam2.data.collate import collate_clips
from auralsam2.engine.distributed import share_of_batch
from auralsam2.engine.part_rates import PartRates
from auralsam2.engine.selection import better
from auralsam2.mmengine_fixes import WHOLE_FILES
from auralsam2.registry import OPTIMIZERS
from auralsam2.signature import parameters_of


def backends(cfg: Config) -> list[dict[str, str]]:
    """Where scalars are written."""
    names = ["LocalVisBackend"] + ["TensorboardVisBackend"] * bool(cfg.runtime.tensorboard)
    return [{"type": name} for name in names]


def loader(cfg: Config, dataset: Any, shuffle: bool) -> dict[str, Any]:
    """A loader of this process's share of every batch."""
    return dict(
        dataset=dataset,
        batch_size=share_of_batch(cfg.data.batch_size),
        num_workers=cfg.data.num_workers,
        persistent_workers=cfg.data.num_workers > 0,
        sampler=dict(type="DefaultSampler", shuffle=shuffle, seed=cfg.seed),
        collate_fn=dict(type=collate_clips),
    )


def schedule(cfg: Config) -> list[dict[str, Any]]:
    """Polynomial decay over all steps, multiplied by a linear warm-up where one is asked for."""
    poly = dict(
        type="PolyLR",
        power=cfg.optim.power,
        by_epoch=True,
        begin=0,
        end=cfg.optim.epochs,
        convert_to_iter_based=True,
    )
    steps = cfg.optim.get("warmup", 0)
    if not steps:
        return [poly]
    return [dict(type="LinearLR", start_factor=1 / steps, by_epoch=False, end=steps), poly]


def optimizer_node(cfg: Config) -> dict[str, Any]:
    """The optimizer wrapper of a config, as mmengine builds it."""
    optimizer = cfg.optim.optimizer.to_dict()
    known = parameters_of(OPTIMIZERS.lookup(optimizer["type"])).known
    if "weight_decay" in known:  # mmengine wants it stated to keep it off the norms
        optimizer.setdefault("weight_decay", known["weight_decay"].default)
    wrapper: dict[str, Any] = dict(
        type="OptimWrapper",
        optimizer=optimizer,
        accumulative_counts=cfg.optim.accumulate,
        paramwise_cfg=dict(norm_decay_mult=0.0) if "weight_decay" in optimizer else {},
    )
    if factors := cfg.optim.get("rate_factors"):
        wrapper["constructor"] = PartRates
        wrapper["paramwise_cfg"]["rate_factors"] = factors.to_dict()
    if cfg.optim.clip_grad is not None:
        clip = cfg.optim.clip_grad
        wrapper["clip_grad"] = dict(clip) if isinstance(clip, Mapping) else dict(max_norm=clip)
    if cfg.optim.amp is not None:
        wrapper.update(type="AmpOptimWrapper", dtype=cfg.optim.amp)
    return wrapper


def default_hooks(cfg: Config, metrics: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """The log and the checkpoints, of which the best by a metric of val is kept."""
    return dict(
        logger=dict(type="LoggerHook", interval=cfg.runtime.log_every, log_metric_by_epoch=True),
        checkpoint=dict(
            type="CheckpointHook",
            interval=cfg.runtime.checkpoint_every,
            max_keep_ckpts=2,  # the older one goes before the newer one is written
            backend_args=dict(backend=WHOLE_FILES),
            save_best=cfg.evaluation.select_by,
            rule=better(metrics, cfg.evaluation.select_by),
        ),
    )
