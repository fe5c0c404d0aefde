"""A config in mmengine's words: the Runner of a training with its loaders, optimizer and hooks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine import dist
from mmengine.config import Config
from mmengine.hooks import Hook
from torch import nn

from auralsam2.data.collate import collate_clips
from auralsam2.engine import distributed
from auralsam2.engine.acceleration import accelerate
from auralsam2.engine.hooks.checkpoint_hooks import GradientSumHook, TrainableStateHook
from auralsam2.engine.hooks.step_seed_hook import EpochHook, StepSeedHook
from auralsam2.engine.metric_scales import better
from auralsam2.engine.parameter_groups import MergeGroupsHook, ParameterGroups
from auralsam2.engine.run_folder import newest_checkpoint
from auralsam2.engine.trackers import RunLabels, backends
from auralsam2.mmengine_fixes import WHOLE_FILES, DeviceRunner, PlainCheckpointHook
from auralsam2.registry import METRICS, OPTIMIZERS
from auralsam2.signature import parameters_of


def build_runner(
    cfg: Config,
    device: torch.device,
    run_dir: Path,
    datasets: Mapping[str, Any],
    own_hooks: Sequence[Hook],
    labels: RunLabels | None = None,
) -> DeviceRunner:
    """The Runner of a training, which goes on from the newest checkpoint of its folder.

    ``own_hooks`` are those that know the run; ``labels`` are shown by trackers.
    """
    epochs, every, size = cfg.optim.epochs, cfg.evaluation.every, cfg.data.image_size
    metrics = [METRICS.build(node) for node in cfg.evaluation.metrics]
    newest = newest_checkpoint(run_dir)
    runner = DeviceRunner(
        device=device,
        model=dict(cfg.model.to_dict(), image_size=size, decode=cfg.evaluation.decode),
        work_dir=str(run_dir),
        train_dataloader=_loader(cfg, device, datasets["train"], shuffle=True),
        val_dataloader=_loader(cfg, device, datasets["val"], shuffle=False),
        val_evaluator=metrics,
        val_cfg=dict(),
        train_cfg=dict(by_epoch=True, max_epochs=epochs, val_interval=min(every, epochs)),
        optim_wrapper=optimizer_node(cfg, device),
        param_scheduler=schedule(cfg),
        default_hooks=_default_hooks(cfg, metrics),
        custom_hooks=_custom_hooks(cfg, own_hooks),
        visualizer=dict(type="Visualizer", vis_backends=backends(cfg, labels)),
        launcher="pytorch" if dist.is_distributed() else "none",
        cfg=distributed.wrapping(device),
        randomness=dict(seed=cfg.seed),
        resume=newest is not None,
        load_from=newest,
        default_scope="auralsam2",
        # mmengine keeps loggers by this name; two runs of one process must not share one.
        experiment_name=f"{run_dir.name}-{time.time_ns()}",
    )
    accelerate(distributed.unwrapped(runner.model), cfg.runtime)
    return runner


def _loader(cfg: Config, device: torch.device, dataset: Any, shuffle: bool) -> dict[str, Any]:
    """A loader of this process's share of every batch; to a GPU, copies need not be waited for."""
    return dict(
        dataset=dataset,
        batch_size=distributed.share_of_batch(cfg.data.batch_size),
        num_workers=cfg.data.num_workers,
        persistent_workers=cfg.data.num_workers > 0,
        sampler=dict(type="DefaultSampler", shuffle=shuffle, seed=cfg.seed),
        collate_fn=dict(type=collate_clips),
        pin_memory=device.type == "cuda",
    )


def schedule(cfg: Config) -> list[dict[str, Any]]:
    """Decay to the end of training, multiplied by a linear warm-up where one is asked for.

    It is polynomial over all steps, or a cosine over the epochs where ``optim.cosine_to`` says at
    which rate that ends.
    """
    decay = dict(type="PolyLR", power=cfg.optim.power, convert_to_iter_based=True)
    if (least := cfg.optim.get("cosine_to")) is not None:
        decay = dict(type="CosineAnnealingLR", eta_min=least, T_max=cfg.optim.epochs)
    decay |= dict(by_epoch=True, begin=0, end=cfg.optim.epochs)
    steps = cfg.optim.get("warmup", 0)
    if not steps:
        return [decay]
    return [dict(type="LinearLR", start_factor=1 / steps, by_epoch=False, end=steps), decay]


_KINDS = {"fused", "foreach", "capturable", "differentiable"}


def optimizer_node(cfg: Config, device: torch.device | None = None) -> dict[str, Any]:
    """The optimizer wrapper of a config, as mmengine builds it.

    The optimizer is the ``fused`` one where it has such a kind for the device and the config states
    none.
    """
    optimizer = cfg.optim.optimizer.to_dict()
    known = parameters_of(OPTIMIZERS.lookup(optimizer["type"])).known
    if "weight_decay" in known:  # mmengine wants it stated to keep it off the norms
        optimizer.setdefault("weight_decay", known["weight_decay"].default)
    states_none = "fused" in known and not optimizer.keys() & _KINDS
    if device is not None and states_none and _fuses(optimizer, device):
        optimizer["fused"] = True
    wrapper: dict[str, Any] = dict(
        type="OptimWrapper",
        constructor=ParameterGroups,
        optimizer=optimizer,
        accumulative_counts=cfg.optim.accumulate,
        paramwise_cfg=dict(norm_decay_mult=0.0) if "weight_decay" in optimizer else {},
    )
    if factors := cfg.optim.get("rate_factors"):
        wrapper["paramwise_cfg"]["rate_factors"] = factors.to_dict()
    if cfg.optim.clip_grad is not None:
        clip = cfg.optim.clip_grad
        wrapper["clip_grad"] = dict(clip) if isinstance(clip, Mapping) else dict(max_norm=clip)
    if cfg.optim.amp is not None:
        wrapper.update(type="AmpOptimWrapper", dtype=cfg.optim.amp)
    return wrapper


def _fuses(optimizer: Mapping[str, Any], device: torch.device) -> bool:
    """Whether an optimizer's fused kind steps on a device; not every one does on every device."""
    parameter = nn.Parameter(torch.zeros(1, device=device))
    parameter.grad = torch.zeros_like(parameter)
    settings = {key: value for key, value in optimizer.items() if key != "type"}
    try:
        OPTIMIZERS.lookup(optimizer["type"])([parameter], **settings, fused=True).step()
    except Exception:  # settings that are wrong are named where the optimizer is built
        return False
    return True


def _default_hooks(cfg: Config, metrics: Sequence[Any]) -> dict[str, dict[str, Any]]:
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


def _custom_hooks(cfg: Config, own_hooks: Sequence[Hook]) -> list[Hook | dict[str, Any]]:
    return [
        StepSeedHook(cfg.seed),
        EpochHook(),
        GradientSumHook(),
        MergeGroupsHook(),
        *own_hooks,
        PlainCheckpointHook(),
        TrainableStateHook(),
        *(node.to_dict() for node in cfg.runtime.get("hooks", ())),
    ]
