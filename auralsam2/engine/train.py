"""Train one config: the only place that builds a Runner."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.runner import Runner
from torch import nn

from auralsam2 import config as configs
from auralsam2.data.collate import collate_clips
from auralsam2.data.datasets.guarded import CorruptClip
from auralsam2.engine import evaluate as evaluation
from auralsam2.engine import run_record
from auralsam2.engine.checkpoint import allow_resume, save_safetensors
from auralsam2.engine.hooks.epoch_hook import EpochHook
from auralsam2.engine.hooks.plain_checkpoint_hook import PlainCheckpointHook
from auralsam2.engine.hooks.progress_hook import ProgressHook
from auralsam2.engine.hooks.skipped_clips_hook import SkippedClipsHook, note_skipped
from auralsam2.engine.hooks.step_seed_hook import StepSeedHook
from auralsam2.engine.hooks.trainable_state_hook import TrainableStateHook, trainable_state
from auralsam2.engine.preflight import check_weights
from auralsam2.engine.progress import Progress, Silent
from auralsam2.engine.run_record import RunRecord
from auralsam2.registry import METRICS, load_all

WEIGHTS = "best.safetensors"


def train(
    cfg: Config,
    run_dir: str | Path,
    *,
    name: str = "",
    axes: Mapping[str, str] | None = None,
    run_id: str = "",
    progress: Progress | None = None,
) -> RunRecord:
    """Train, select on val, test once, and leave a complete run folder.

    A folder with an unfinished training is resumed at its last epoch and continues the same
    curve; a model in which nothing is trained goes straight to the test.

    Args:
        cfg: a loaded and validated config.
        run_dir: folder of the run.
        name: of the cell in a grid.
        axes: labels of the cell's axis values.
        run_id: identity in a grid.
        progress: told about every step.

    Returns:
        The record, also written to ``record.json``.

    Raises:
        FileNotFoundError: where weights or data are missing, before anything is built.
        FloatingPointError: where the loss stops being a number.
    """
    run_dir = Path(run_dir)
    check_weights(cfg)
    load_all()
    allow_resume()
    if cfg.runtime.num_threads:
        torch.set_num_threads(cfg.runtime.num_threads)
    datasets = _datasets(cfg)
    run_dir.mkdir(parents=True, exist_ok=True)
    configs.dump(cfg, run_dir / "config.py")
    record = run_record.start(
        name=name or run_dir.name,
        axes=dict(axes or {}),
        seed=cfg.seed,
        run_id=run_id or configs.config_hash(cfg)[:10],
        config_hash=configs.config_hash(cfg),
        data_fingerprint=fingerprint(datasets),
        label_source=label_source(datasets),
    )
    for split, dataset in {"val": datasets["val"], **datasets["test"]}.items():
        note_skipped(record, split, Counter(dataset.left_out))
    run_record.write(record, run_dir)
    started, listener = time.monotonic(), progress or Silent()
    try:
        model = _fit(cfg, run_dir, datasets, listener, record)
        result = evaluation.evaluate_model(model, cfg, datasets["test"], run_dir)
    finally:
        listener.finish_run()
    for split, scores in result.splits.items():
        run_record.add_scores(record, split, scores.metrics, scores.per_clip)
    record = run_record.finish(record, time.monotonic() - started)
    run_record.write(record, run_dir)
    return record


def fingerprint(datasets: Mapping[str, Any]) -> str:
    """One fingerprint of all splits; wrappers of the test set read the same files."""
    prints = [datasets["train"].fingerprint(), datasets["val"].fingerprint()]
    prints += [d.fingerprint() for d in datasets["test"].values()]
    return run_record.combine_fingerprints(prints)


def label_source(datasets: Mapping[str, Any]) -> str:
    """Where the labels come from: every source once, in the order of the splits."""
    every = [datasets["train"], datasets["val"], *datasets["test"].values()]
    sources = [getattr(dataset, "label_source", "") for dataset in every]
    return ", ".join(dict.fromkeys(source for source in sources if source))


def _datasets(cfg: Config) -> dict[str, Any]:
    return {
        # Transforms are the only thing in it that is random.
        "train": evaluation.build_dataset(cfg, cfg.data.train, cfg.seed, training=True),
        "val": evaluation.build_dataset(cfg, cfg.data.val),
        "test": evaluation.test_datasets(cfg),
    }


def _fit(
    cfg: Config, run_dir: Path, datasets: Mapping[str, Any], progress: Progress, record: RunRecord
) -> nn.Module:
    """Train where there is something to train; the model with its selected weights."""
    skipped: Counter[CorruptClip] = Counter()
    runner = _runner(cfg, run_dir, datasets, progress, skipped)
    model: nn.Module = runner.model
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    total = sum(p.numel() for p in model.parameters())
    record.num_parameters = {"total": total, "trainable": trainable}
    if not trainable:
        record.notes.append("nothing to train: evaluated as built")
        return model
    runner.train()
    note_skipped(record, "train", skipped)
    record.epochs = cfg.optim.epochs
    best = _best_checkpoint(run_dir)
    saved = torch.load(best, map_location="cpu", weights_only=True)
    model.load_state_dict(saved["state_dict"], strict=False)
    record.best_epoch = int(saved["meta"]["epoch"])
    score = float(saved["message_hub"]["runtime_info"]["best_score"])
    record.selection = {"split": "val", "metric": cfg.evaluation.select_by, "value": score}
    save_safetensors(trainable_state(model), run_dir / WEIGHTS)
    return model


def _best_checkpoint(run_dir: Path) -> Path:
    found = sorted(run_dir.glob("best_*.pth"), key=os.path.getmtime)
    assert found, f"the runner left no best checkpoint in {run_dir}"
    return found[-1]


def _runner(
    cfg: Config,
    run_dir: Path,
    datasets: Mapping[str, Any],
    progress: Progress,
    skipped: Counter[CorruptClip],
) -> Runner:
    epochs, every = cfg.optim.epochs, cfg.evaluation.every
    model = cfg.model.to_dict()
    metrics = [METRICS.build(node) for node in cfg.evaluation.metrics]
    runner = Runner(
        model={**model, "image_size": cfg.data.image_size, "decode": cfg.evaluation.decode},
        work_dir=str(run_dir),
        train_dataloader=_loader(cfg, datasets["train"], shuffle=True),
        val_dataloader=_loader(cfg, datasets["val"], shuffle=False),
        val_evaluator=metrics,
        val_cfg=dict(),
        train_cfg=dict(by_epoch=True, max_epochs=epochs, val_interval=min(every, epochs)),
        optim_wrapper=_optim_wrapper(cfg),
        param_scheduler=_schedule(cfg),
        default_hooks=dict(
            logger=dict(
                type="LoggerHook", interval=cfg.runtime.log_every, log_metric_by_epoch=True
            ),
            checkpoint=dict(
                type="CheckpointHook",
                interval=cfg.runtime.checkpoint_every,
                max_keep_ckpts=1,
                save_best=cfg.evaluation.select_by,
                rule=_better(metrics, cfg.evaluation.select_by),
            ),
        ),
        custom_hooks=[
            dict(type=StepSeedHook, seed=cfg.seed),
            dict(type=EpochHook),
            dict(type=SkippedClipsHook, tally=skipped),
            dict(type=ProgressHook, progress=progress),
            dict(type=PlainCheckpointHook),
            dict(type=TrainableStateHook),
        ],
        visualizer=dict(type="Visualizer", vis_backends=_backends(cfg)),
        randomness=dict(seed=cfg.seed, deterministic=False),
        env_cfg=dict(cudnn_benchmark=False),
        resume=(run_dir / "last_checkpoint").is_file(),
        default_scope="auralsam2",
        log_level="INFO",
        # mmengine keeps loggers by this name; two runs of one process must not share one.
        experiment_name=f"{run_dir.name}-{time.time_ns()}",
    )
    return runner


def _better(metrics: Sequence[Any], name: str) -> str:
    """Mmengine's rule of what is better in the metric that selects.

    Raises:
        ValueError: where there is no such metric.
    """
    rules = {m.name: "greater" if m.higher_is_better else "less" for m in metrics}
    if name not in rules:
        known = ", ".join(rules)
        raise ValueError(f"evaluation.select_by got {name!r}; evaluation.metrics give: {known}")
    return rules[name]


def _backends(cfg: Config) -> list[dict[str, str]]:
    names = ["LocalVisBackend"] + ["TensorboardVisBackend"] * bool(cfg.runtime.tensorboard)
    return [{"type": name} for name in names]


def _loader(cfg: Config, dataset: Any, shuffle: bool) -> dict[str, Any]:
    return dict(
        dataset=dataset,
        batch_size=cfg.data.batch_size,
        num_workers=cfg.data.num_workers,
        persistent_workers=cfg.data.num_workers > 0,
        sampler=dict(type="DefaultSampler", shuffle=shuffle, seed=cfg.seed),
        collate_fn=dict(type=collate_clips),
    )


def _schedule(cfg: Config) -> list[dict[str, Any]]:
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


def _optim_wrapper(cfg: Config) -> dict[str, Any]:
    wrapper: dict[str, Any] = dict(
        type="OptimWrapper",
        optimizer=cfg.optim.optimizer.to_dict(),
        accumulative_counts=cfg.optim.accumulate,
        paramwise_cfg=dict(norm_decay_mult=0.0),
    )
    if cfg.optim.clip_grad is not None:
        wrapper["clip_grad"] = dict(max_norm=cfg.optim.clip_grad)
    if cfg.optim.amp is not None:
        wrapper.update(type="AmpOptimWrapper", dtype=cfg.optim.amp)
    return wrapper
