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
from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn

from auralsam2.data.collate import collate_clips
from auralsam2.engine import distributed
from auralsam2.engine.acceleration import accelerate
from auralsam2.engine.hooks.gradient_sum_hook import GradientSumHook
from auralsam2.engine.hooks.step_seed_hook import EpochHook, StepSeedHook
from auralsam2.engine.hooks.trainable_state_hook import TrainableStateHook
from auralsam2.engine.metric_scales import better
from auralsam2.engine.run_folder import newest_checkpoint
from auralsam2.mmengine_fixes import WHOLE_FILES, DeviceRunner, PlainCheckpointHook
from auralsam2.registry import METRICS, OPTIMIZERS
from auralsam2.signature import parameters_of


def build_runner(
    cfg: Config,
    device: torch.device,
    run_dir: Path,
    datasets: Mapping[str, Any],
    own_hooks: Sequence[dict[str, Any] | Hook],
) -> DeviceRunner:
    """The Runner of a training, which goes on from the newest checkpoint of its folder.

    ``own_hooks`` are the hooks that know the run, or their nodes.
    """
    epochs, every = cfg.optim.epochs, cfg.evaluation.every
    size, decode = cfg.data.image_size, cfg.evaluation.decode
    metrics = [METRICS.build(node) for node in cfg.evaluation.metrics]
    newest = newest_checkpoint(run_dir)
    backends = ["LocalVisBackend"] + ["TensorboardVisBackend"] * bool(cfg.runtime.tensorboard)
    runner = DeviceRunner(
        device=device,
        model=dict(cfg.model.to_dict(), image_size=size, decode=decode),
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
        visualizer=dict(type="Visualizer", vis_backends=[dict(type=name) for name in backends]),
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

    On a GPU the optimizer is the ``fused`` one where it has such a kind and the config states none.
    """
    optimizer = cfg.optim.optimizer.to_dict()
    known = parameters_of(OPTIMIZERS.lookup(optimizer["type"])).known
    if "weight_decay" in known:  # mmengine wants it stated to keep it off the norms
        optimizer.setdefault("weight_decay", known["weight_decay"].default)
    on_gpu = device is not None and device.type == "cuda"
    if on_gpu and "fused" in known and not optimizer.keys() & _KINDS:
        optimizer["fused"] = True
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


class PartRates(DefaultOptimWrapperConstructor):
    """mmengine's parameter groups, those of some parts with another learning rate.

    The schedule multiplies all rates alike, so the factor holds in every step (but for the rate
    that ``optim.cosine_to`` falls to, which all parts share). Weight decay is left as it is, which
    mmengine's own ``custom_keys`` would take back from the norms.

    Args:
        optim_wrapper_cfg: as for mmengine's constructor.
        paramwise_cfg: likewise, and ``rate_factors``: factor by name of a part as
            ``named_modules`` has it, e.g. ``{"audio_encoder": 0.1}``; of several that hold a
            parameter, the longest name counts.

    Raises:
        ValueError: when called with a model in which nothing of a named part is trained, or
            without a learning rate of the optimizer's own.
    """

    def __init__(
        self, optim_wrapper_cfg: dict[str, Any], paramwise_cfg: dict[str, Any] | None = None
    ) -> None:
        super().__init__(optim_wrapper_cfg, paramwise_cfg)
        self.factors: Mapping[str, float] = self.paramwise_cfg.pop("rate_factors", {})
        if self.base_lr is None:
            raise ValueError("optim.rate_factors multiply optim.optimizer.lr: state one")

    def add_params(
        self, params: list[dict[str, Any]], module: nn.Module, prefix: str = "", **options: Any
    ) -> None:
        """Fill ``params`` with a group a parameter, and set the rates once all are there."""
        super().add_params(params, module, prefix, **options)
        if prefix:
            return  # the recursion's inner calls
        names = {id(p): name for name, p in module.named_parameters()}
        unused = dict(self.factors)
        for group in params:
            (parameter,) = group["params"]
            name = names[id(parameter)]
            parts = [part for part in self.factors if f"{name}.".startswith(f"{part}.")]
            if parts:
                part = max(parts, key=len)
                group["lr"] = self.base_lr * self.factors[part]
                unused.pop(part, None)
        if unused:
            trained = sorted({names[id(group["params"][0])].split(".")[0] for group in params})
            raise ValueError(
                f"optim.rate_factors: nothing is trained in {', '.join(map(repr, unused))}; "
                f"trained here: {', '.join(trained)} (a frozen part wants frozen=False, too)"
            )


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


def _custom_hooks(
    cfg: Config, own_hooks: Sequence[dict[str, Any] | Hook]
) -> list[dict[str, Any] | Hook]:
    return [
        dict(type=StepSeedHook, seed=cfg.seed),
        dict(type=EpochHook),
        dict(type=GradientSumHook),
        *own_hooks,
        dict(type=PlainCheckpointHook),
        dict(type=TrainableStateHook),
        *(node.to_dict() for node in cfg.runtime.get("hooks", ())),
    ]
