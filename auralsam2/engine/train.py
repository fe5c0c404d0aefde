"""Train one config, from its data sets to a complete run folder."""

from __future__ import annotations

import auralsam2.mmengine_fixes  # noqa: F401  (before all else of mmengine)

# isort: split

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.model import is_model_wrapper
from torch import nn

from auralsam2 import config as configs
from auralsam2.data.datasets.guarded import CorruptClip
from auralsam2.devices import check_amp, pick_device
from auralsam2.engine import distributed, identity, run_folder, run_record, runner_settings
from auralsam2.engine import evaluate as evaluation
from auralsam2.engine.checkpoint import save_safetensors
from auralsam2.engine.efficiency import enter_speed
from auralsam2.engine.hardware import hardware, precision
from auralsam2.engine.hooks.epoch_hook import EpochHook
from auralsam2.engine.hooks.gradient_sum_hook import GradientSumHook
from auralsam2.engine.hooks.progress_hook import ProgressHook
from auralsam2.engine.hooks.skipped_clips_hook import SkippedClipsHook, note_skipped
from auralsam2.engine.hooks.step_seed_hook import StepSeedHook
from auralsam2.engine.hooks.trainable_state_hook import TrainableStateHook, trainable_state
from auralsam2.engine.hooks.validation_hook import ValidationHook
from auralsam2.engine.preflight import check
from auralsam2.engine.progress import Progress, StopRun
from auralsam2.engine.run_folder import best_checkpoint, newest_checkpoint
from auralsam2.engine.run_record import WEIGHTS, RunRecord
from auralsam2.engine.selection import LAST_WEIGHTS, check_selection, nothing_selected
from auralsam2.engine.splits import fingerprint, label_source, run_datasets
from auralsam2.engine.start import enter_start, lay_out, load_start
from auralsam2.mmengine_fixes import DeviceRunner, PlainCheckpointHook, allow_resume
from auralsam2.models.weights.loading import loaded_weights
from auralsam2.registry import METRICS, load_all


def train(
    cfg: Config,
    run_dir: str | Path,
    *,
    name: str = "",
    axes: Mapping[str, str] | None = None,
    run_id: str = "",
    progress: Progress | None = None,
    keep_code: bool = False,
) -> RunRecord:
    """Train, select on val, test once, and leave a complete run folder.

    A folder with an unfinished training is resumed at its last epoch and continues the same
    curve; one that is done is left as it is; one of another run is refused before anything is
    written. A model in which nothing is trained goes straight to the test. Started by torchrun, the
    processes share every batch; one of them writes and tests.

    Args:
        cfg: a loaded and validated config.
        run_dir: folder of the run.
        name: of the cell in a grid.
        axes: labels of the cell's axis values.
        run_id: identity in a grid; `auralsam2.engine.identity.identify` gives it where empty.
        progress: told about every step.
        keep_code: go on with a run that was begun by other code, or take it where it is done.

    Returns:
        The record, also written to ``record.json``. Where the listener raised `StopRun`, its
        status is ``"stopped"``, the checkpoint stays and there are no test scores.

    Raises:
        FileNotFoundError: where weights or data are missing, before anything is built.
        OtherRunError: where the folder holds another run.
        FolderInUseError: where another process trains in it.
        FloatingPointError: where the loss stops being a number.
        ValueError: where the settings do not go together, the machine lacks the device, or several
            processes cannot share a batch evenly, all before anything is written; where the metric
            that selects was not a number in any validation.
    """
    run_dir = Path(run_dir)
    check(cfg, run_dir)
    device = pick_device(cfg.runtime.device)
    distributed.join(device)
    load_all()
    allow_resume()
    if cfg.runtime.num_threads:
        torch.set_num_threads(cfg.runtime.num_threads)
    datasets = run_datasets(cfg)
    record = _planned(cfg, datasets, name or run_dir.name, axes or {}, run_id)
    earlier = run_folder.earlier_record(run_dir, cfg.to_dict(), record, keep_code=keep_code)
    if earlier is not None and earlier.status == "done":
        distributed.leave()
        return earlier
    check_amp(cfg.optim.amp, device)
    check_selection(cfg, datasets["val"])
    run_dir.mkdir(parents=True, exist_ok=True)
    with run_folder.held(run_dir) if distributed.is_main() else nullcontext():
        _open_folder(cfg, run_dir, datasets, earlier, record)
        return _train_and_test(cfg, device, run_dir, datasets, progress or Progress(), record)


def _train_and_test(
    cfg: Config,
    device: torch.device,
    run_dir: Path,
    datasets: Mapping[str, Any],
    progress: Progress,
    record: RunRecord,
) -> RunRecord:
    """Do what a run that stands in its folder has left to do; its record, as it ends."""
    started, listener = time.monotonic(), distributed.SharedVerdict(progress)
    try:
        model = _fit(cfg, device, run_dir, datasets, listener, record)
        if not distributed.leave():
            return record
        result = evaluation.evaluate_model(model, cfg, datasets["test"], run_dir)
        enter_speed(record, model, cfg, datasets["test"])
    except StopRun as stopped:
        run_record.stop(record, stopped.reason, time.monotonic() - started)
        _write(record, run_dir)
        distributed.leave()
        return record
    finally:
        listener.finish_run()
    for split, scores in result.splits.items():
        run_record.add_scores(record, split, scores.metrics, scores.per_clip)
    record.scales = {metric: scale.to_json() for metric, scale in result.scales.items()}
    record = run_record.finish(record, time.monotonic() - started)
    run_record.write(record, run_dir)
    return record


def _write(record: RunRecord, run_dir: Path) -> None:
    if distributed.is_main():
        run_record.write(record, run_dir)


def _planned(
    cfg: Config, datasets: Mapping[str, Any], name: str, axes: Mapping[str, str], run_id: str
) -> RunRecord:
    """The record of a run that is about to begin."""
    plain, data = cfg.to_dict(), fingerprint(datasets)
    config_hash = configs.config_hash(plain)
    record = run_record.start(
        name=name,
        axes=dict(axes),
        seed=cfg.seed,
        run_id=run_id or str(identity.identify(plain, data, config_hash)),
        config_hash=config_hash,
        data_fingerprint=data,
        label_source=label_source(datasets),
        files=identity.file_digests(plain),
    )
    record.epochs_planned = cfg.optim.epochs
    return record


def _open_folder(
    cfg: Config,
    run_dir: Path,
    datasets: Mapping[str, Any],
    earlier: RunRecord | None,
    record: RunRecord,
) -> None:
    """Leave config and record in the folder of a run that begins or goes on."""
    if distributed.is_main():
        configs.dump(cfg, run_dir / run_folder.CONFIG)
    for split, dataset in {"val": datasets["val"], **datasets["test"]}.items():
        note_skipped(record, split, Counter(dataset.left_out))
    if earlier is not None:
        run_folder.carry_over(earlier, record)
    enter_start(cfg, record)
    if distributed.is_main():
        lay_out(cfg, run_dir, record)
    distributed.wait()
    distributed.note(record)
    _write(record, run_dir)


def _fit(
    cfg: Config,
    device: torch.device,
    run_dir: Path,
    datasets: Mapping[str, Any],
    progress: Progress,
    record: RunRecord,
) -> nn.Module:
    """Train where there is something to train; the model with its selected weights."""
    skipped: Counter[CorruptClip] = Counter()
    listeners = [
        dict(type=SkippedClipsHook, tally=skipped),
        dict(type=ProgressHook, progress=progress),
        dict(type=ValidationHook, progress=progress, record=record, run_dir=run_dir),
    ]
    runner = _runner(cfg, device, run_dir, datasets, listeners)
    model: nn.Module = runner.model
    if is_model_wrapper(model):
        model = model.module
    load_start(cfg, run_dir, model)
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    total = sum(p.numel() for p in model.parameters())
    record.num_parameters = {"total": total, "trainable": trainable}
    record.environment |= hardware(next(model.parameters()).device)
    record.weights = loaded_weights(model)
    if not trainable:
        record.notes.append("nothing to train: evaluated as built")
        return model
    runner.train()
    if not distributed.is_main():
        return model
    record.environment["amp"] = precision(runner.optim_wrapper)
    note_skipped(record, "train", skipped)
    record.epochs = runner.epoch
    if runner.epoch < cfg.optim.epochs:
        record.notes.append(
            f"stopped early, after {runner.epoch} of {cfg.optim.epochs} epochs, by a hook of "
            "runtime.hooks"
        )
    _select(cfg, run_dir, model, record)
    return model


def _select(cfg: Config, run_dir: Path, model: nn.Module, record: RunRecord) -> None:
    """Give the model the weights that were best on val, and keep them."""
    best = best_checkpoint(run_dir)
    if best is None:
        save_safetensors(trainable_state(model), run_dir / LAST_WEIGHTS)
        raise ValueError(nothing_selected(cfg, run_dir))
    saved = torch.load(best, map_location="cpu", weights_only=True)
    evaluation.load_trained_state(model, saved["state_dict"], best)
    record.best_epoch = int(saved["meta"]["epoch"])
    score = float(saved["message_hub"]["runtime_info"]["best_score"])
    record.selection = {"split": "val", "metric": cfg.evaluation.select_by, "value": score}
    save_safetensors(trainable_state(model), run_dir / WEIGHTS)


def _runner(
    cfg: Config,
    device: torch.device,
    run_dir: Path,
    datasets: Mapping[str, Any],
    listeners: Sequence[dict[str, Any]],
) -> DeviceRunner:
    epochs, every = cfg.optim.epochs, cfg.evaluation.every
    model = cfg.model.to_dict()
    metrics = [METRICS.build(node) for node in cfg.evaluation.metrics]
    return DeviceRunner(
        device=device,
        model={**model, "image_size": cfg.data.image_size, "decode": cfg.evaluation.decode},
        work_dir=str(run_dir),
        train_dataloader=runner_settings.loader(cfg, datasets["train"], shuffle=True),
        val_dataloader=runner_settings.loader(cfg, datasets["val"], shuffle=False),
        val_evaluator=metrics,
        val_cfg=dict(),
        train_cfg=dict(by_epoch=True, max_epochs=epochs, val_interval=min(every, epochs)),
        optim_wrapper=runner_settings.optimizer_node(cfg),
        param_scheduler=runner_settings.schedule(cfg),
        default_hooks=runner_settings.default_hooks(cfg, metrics),
        custom_hooks=[
            dict(type=StepSeedHook, seed=cfg.seed),
            dict(type=EpochHook),
            dict(type=GradientSumHook),
            *listeners,
            dict(type=PlainCheckpointHook),
            dict(type=TrainableStateHook),
            *(node.to_dict() for node in cfg.runtime.get("hooks", ())),
        ],
        visualizer=dict(type="Visualizer", vis_backends=runner_settings.backends(cfg)),
        launcher=distributed.launcher(),
        cfg=distributed.wrapping(device),
        randomness=dict(seed=cfg.seed, deterministic=False),
        env_cfg=dict(cudnn_benchmark=False),
        resume=(newest := newest_checkpoint(run_dir)) is not None,
        load_from=newest,
        default_scope="auralsam2",
        log_level="INFO",
        # mmengine keeps loggers by this name; two runs of one process must not share one.
        experiment_name=f"{run_dir.name}-{time.time_ns()}",
    )
