"""Train one config, from its data sets to a complete run folder.

A folder with an unfinished training is resumed at its last epoch and continues the same curve; one
that is done is left as it is; one of another run is refused before anything is written. A model in
which nothing is trained goes straight to the test. Started by torchrun, the processes share every
batch; one of them writes and tests.
"""

from __future__ import annotations

import auralsam2.mmengine_fixes  # noqa: F401  (before all else of mmengine)

# isort: split

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine import dist
from mmengine.config import Config
from mmengine.hooks import Hook
from torch import nn

from auralsam2 import config as configs
from auralsam2.data.datasets.guarded import CorruptClip
from auralsam2.devices import check_amp, set_up_device
from auralsam2.engine import distributed, identity, run_record
from auralsam2.engine.checkpoint import load_trained_state, save_state
from auralsam2.engine.efficiency import enter_cost
from auralsam2.engine.evaluate import evaluate_model
from auralsam2.engine.hooks.checkpoint_hooks import trainable_state
from auralsam2.engine.hooks.record_hooks import (
    ProgressHook,
    SkippedClipsHook,
    StepCostHook,
    note_skipped,
)
from auralsam2.engine.out_of_memory import telling_what_takes_less
from auralsam2.engine.parameter_parts import parameters_by_part
from auralsam2.engine.preflight import check, check_classes, check_selection
from auralsam2.engine.progress import Progress, StopRun
from auralsam2.engine.provenance import hardware, precision
from auralsam2.engine.run_folder import CONFIG, best_checkpoint, earlier_record, held
from auralsam2.engine.run_record import LAST_WEIGHTS, WEIGHTS, RunRecord
from auralsam2.engine.runner import build_runner
from auralsam2.engine.splits import fingerprint, label_source, run_datasets
from auralsam2.engine.start import carry_over, enter_start, lay_out, load_start
from auralsam2.engine.trackers import run_labels
from auralsam2.mmengine_fixes import allow_resume, forget
from auralsam2.models.weights.loading import loaded_weights
from auralsam2.registry import load_all


@dataclass
class _Run:
    """What the steps of a run share; ``record`` is filled on the way."""

    cfg: Config
    run_dir: Path
    device: torch.device
    datasets: Mapping[str, Any]
    progress: Progress
    record: RunRecord
    hooks: Sequence[Hook]

    def write(self) -> None:
        """Leave the record in the folder, as it is now."""
        if dist.is_main_process():
            run_record.write(self.record, self.run_dir)


def train(
    cfg: Config,
    run_dir: str | Path,
    *,
    name: str = "",
    axes: Mapping[str, str] | None = None,
    run_id: str = "",
    progress: Progress | None = None,
    keep_code: bool = False,
    hooks: Sequence[Hook] = (),
) -> RunRecord:
    """Train, select on val, test once, and leave a complete run folder.

    Args:
        cfg: a loaded and validated config.
        run_dir: folder of the run.
        name: of the cell in a grid.
        axes: labels of the cell's axis values.
        run_id: identity in a grid; `auralsam2.engine.identity.identify` gives it where empty.
        progress: told about every step; where it raises `StopRun`, the record's status is
            ``"stopped"``, the checkpoint stays and there are no test scores.
        keep_code: go on with a run that was begun by other code, or take it where it is done.
        hooks: of the training, beside those of the config.

    Raises:
        FileNotFoundError: where weights or data are missing, before anything is built.
        OtherRunError: where the folder holds another run; `FolderInUseError` where it is in use.
        FloatingPointError: where the loss stops being a number.
        OutOfMemoryError: where memory runs out; it names the settings that take less.
        ValueError: where the settings do not go together, the machine lacks the device, or several
            processes cannot share a batch evenly, all before anything is written; where the metric
            that selects was not a number in any validation.
    """
    run_dir = Path(run_dir)
    device = _set_up(cfg, run_dir)
    datasets = run_datasets(cfg)
    record = _planned(cfg, datasets, name or run_dir.name, axes or {}, run_id)
    told = distributed.SharedVerdict(progress)
    run = _Run(cfg, run_dir, device, datasets, told, record, hooks)
    earlier = earlier_record(run_dir, cfg.to_dict(), record, keep_code=keep_code)
    if earlier is None or earlier.status != "done":
        return _train_in_folder(run, earlier)
    distributed.leave()
    return earlier


def _set_up(cfg: Config, run_dir: Path) -> torch.device:
    """Look whether the run can begin, and prepare the process; the device that it trains on."""
    check(cfg, run_dir)
    device = set_up_device(cfg.runtime)
    distributed.join(device)
    load_all()
    allow_resume()
    return device


def _planned(
    cfg: Config, datasets: Mapping[str, Any], name: str, axes: Mapping[str, str], run_id: str
) -> RunRecord:
    """The record of a run that is about to begin."""
    plain, data = cfg.to_dict(), fingerprint(datasets)
    config_hash = configs.config_hash(plain)
    return run_record.start(
        name=name,
        axes=dict(axes),
        seed=cfg.seed,
        run_id=run_id or str(identity.identify(plain, data, config_hash)),
        config_hash=config_hash,
        data_fingerprint=data,
        label_source=label_source(datasets),
        files=identity.file_digests(plain),
        epochs_planned=cfg.optim.epochs,
    )


def _train_in_folder(run: _Run, earlier: RunRecord | None) -> RunRecord:
    """Do a run that begins or goes on; its record, as it ends."""
    check_amp(run.cfg.optim.amp, run.device)
    check_selection(run.cfg, run.datasets["val"])
    check_classes(run.cfg, run.datasets)
    run.run_dir.mkdir(parents=True, exist_ok=True)
    with held(run.run_dir) if dist.is_main_process() else nullcontext():
        _open_folder(run, earlier)
        started = time.monotonic()
        try:
            with telling_what_takes_less(run.cfg, run.device.type == "cuda"):
                model = _fit(run)
                if not distributed.leave():
                    return run.record
                _test(run, model)
        except StopRun as stopped:
            run_record.stop(run.record, stopped.reason, time.monotonic() - started)
            run.write()
            distributed.leave()
            return run.record
        finally:
            run.progress.finish_run()
        run_record.finish(run.record, time.monotonic() - started)
        run.write()
        return run.record


def _open_folder(run: _Run, earlier: RunRecord | None) -> None:
    """Leave config and record in the folder."""
    if dist.is_main_process():
        configs.dump(run.cfg, run.run_dir / CONFIG)
    for split, dataset in {"val": run.datasets["val"], **run.datasets["test"]}.items():
        note_skipped(run.record, split, Counter(dataset.left_out))
    if earlier is not None:
        carry_over(earlier, run.record)
    enter_start(run.cfg, run.record)
    if dist.is_main_process():
        lay_out(run.cfg, run.run_dir, run.record)
    dist.barrier()
    distributed.note(run.record)
    run.write()


def _fit(run: _Run) -> nn.Module:
    """Train where there is something to train; the model with its selected weights."""
    skipped: Counter[CorruptClip] = Counter()
    hooks = [
        SkippedClipsHook(skipped),
        StepCostHook(run.record),
        ProgressHook(run.progress, run.record, run.run_dir),
        *run.hooks,
    ]
    runner = build_runner(
        run.cfg, run.device, run.run_dir, run.datasets, hooks, run_labels(run.run_dir, run.record)
    )
    try:
        return _fit_by(runner, run, skipped)
    finally:
        forget(runner.experiment_name)


def _fit_by(runner: Any, run: _Run, skipped: Counter[CorruptClip]) -> nn.Module:
    cfg, record = run.cfg, run.record
    model: nn.Module = distributed.unwrapped(runner.model)
    load_start(cfg, run.run_dir, model)
    if not _describe(model, record):
        record.notes.append("nothing to train: evaluated as built")
        return model
    runner.train()
    if not dist.is_main_process():
        return model
    record.environment["amp"] = precision(runner.optim_wrapper)
    note_skipped(record, "train", skipped)
    record.epochs = runner.epoch
    if runner.epoch < cfg.optim.epochs:
        record.notes.append(
            f"stopped early, after {runner.epoch} of {cfg.optim.epochs} epochs, by a hook of "
            "runtime.hooks"
        )
    _select(run, model)
    return model


def _describe(model: nn.Module, record: RunRecord) -> int:
    """Enter what is trained, on what and from which weights; how many parameters are trained."""
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    total = sum(p.numel() for p in model.parameters())
    record.num_parameters = {"total": total, "trainable": trainable}
    record.parameters_by_part = parameters_by_part(model.named_parameters())
    record.environment |= hardware(next(model.parameters()).device)
    record.weights = loaded_weights(model)
    return trainable


def _select(run: _Run, model: nn.Module) -> None:
    """Give the model the weights that were best on val, and keep them."""
    best, metric = best_checkpoint(run.run_dir), run.cfg.evaluation.select_by
    if best is None:
        last = run.run_dir / LAST_WEIGHTS
        save_state(trainable_state(model), last)
        raise ValueError(
            f"evaluation.select_by={metric!r} was not a number in any validation, so that no epoch "
            f"is the best; the weights of the last one are in '{last}' (auralsam2 eval-checkpoint "
            "scores them): train anew and select by another metric"
        )
    saved = torch.load(best, map_location="cpu", weights_only=True)
    load_trained_state(model, saved["state_dict"], best)
    run.record.best_epoch = int(saved["meta"]["epoch"])
    score = float(saved["message_hub"]["runtime_info"]["best_score"])
    run.record.selection = {"split": "val", "metric": metric, "value": score}
    save_state(trainable_state(model), run.run_dir / WEIGHTS)


def _test(run: _Run, model: nn.Module) -> None:
    """Score the selected weights on every test split, and time the model."""
    result = evaluate_model(model, run.cfg, run.datasets["test"], run.run_dir)
    enter_cost(run.record, model, run.cfg, run.datasets["test"])
    run.record.notes += result.notes
    for split, scores in result.splits.items():
        run_record.add_scores(run.record, split, scores.metrics, scores.per_clip)
    run.record.scales = {metric: scale.to_json() for metric, scale in result.scales.items()}
