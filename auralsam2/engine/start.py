"""Where a training begins: anew, with the weights of another run, or as its continuation.

``start = dict(weights="R/best.safetensors")`` trains anew from those weights.
``start = dict(checkpoint="R/epoch_10.pth")`` extends the finished run R: everything goes on as it
stood at its last epoch (weights, moments of the optimizer, random draws, the best validation), and
the learning rate is from now on that of the longer schedule, laid out over all epochs of both.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from auralsam2.config_identity import differences
from auralsam2.engine import run_record
from auralsam2.engine.checkpoint import load_trained
from auralsam2.engine.run_folder import best_checkpoint, finished, newest_checkpoint, stored_config
from auralsam2.engine.run_record import RunRecord
from auralsam2.engine.runner import schedule
from auralsam2.text_files import replacing

KEY = "start"
_WEIGHTS, _CHECKPOINT = "weights", "checkpoint"


def check_start(cfg: Config, run_dir: Path | None = None) -> None:
    """Look whether a training can begin as its config says, before anything is built.

    One that has begun in its folder, or is done there, needs nothing of this any more.

    Raises:
        FileNotFoundError: where the file is missing.
        ValueError: where both kinds are stated, or the run to extend is not one that this config
            extends; all problems at once.
    """
    if run_dir is not None and (newest_checkpoint(run_dir) or finished(run_dir)):
        return
    start = dict(cfg.get(KEY) or {})
    if len(start) > 1:
        raise ValueError(
            f"{KEY}: got {_WEIGHTS} and {_CHECKPOINT}; state one of them: {_WEIGHTS} trains anew, "
            f"{_CHECKPOINT} extends a finished run"
        )
    for key, file in start.items():
        if not Path(file).is_file():
            raise FileNotFoundError(f"{KEY}.{key}: no file '{file}'; name one of a finished run")
    if _CHECKPOINT in start:
        _check_extension(cfg, Path(start[_CHECKPOINT]))


def _check_extension(cfg: Config, file: Path) -> None:
    record, stored = run_record.find(file.parent), stored_config(file.parent)
    if record is None or stored is None or record.status != "done":
        raise ValueError(f"{KEY}.{_CHECKPOINT}: '{file.parent}' holds no finished run to extend")
    now = {key: value for key, value in cfg.to_dict().items() if key != KEY}
    stored.pop(KEY, None)
    problems = [str(d) for d in differences(stored, now) if d.key != "optim.epochs"]
    if record.epochs < stored["optim"]["epochs"]:
        problems.append(f"it was stopped early, after {record.epochs} epochs")
    if cfg.optim.epochs <= stored["optim"]["epochs"]:
        problems.append(
            f"optim.epochs: got {cfg.optim.epochs}, wanted more than its {record.epochs}"
        )
    if problems:
        raise ValueError(
            f"'{file.parent}' can only be extended by more epochs; to go on with other settings, "
            f"start from its weights (--start-from {file.parent}):\n"
            + "\n".join(f"  - {problem}" for problem in problems)
        )


def carry_over(earlier: RunRecord, record: RunRecord) -> None:
    """Enter in a record what the sessions before this one have left in theirs."""
    record.curve, record.attempts = earlier.curve, earlier.attempts
    if gone := earlier.files.keys() - record.files.keys():  # what it began from, by now
        record.files |= {key: earlier.files[key] for key in gone}
        record.run_id = earlier.run_id
    record.start = earlier.start
    before, now = (one.skipped.get("val", 0) for one in (earlier, record))
    if record.curve and before != now:
        record.notes.append(
            f"val: {before} clips were left out before the run went on, {now} since then: its "
            "epochs are scored on different clips, and the best one was chosen among them"
        )
    if earlier.code_version != record.code_version:
        record.notes.append(
            f"begun by other code, {earlier.code_version or 'unknown'}, and ended by "
            f"{record.code_version} (kept by --keep-code)"
        )


def enter_start(cfg: Config, record: RunRecord) -> None:
    """Enter in a record which run its training begins from, unless an earlier session has."""
    if record.start:
        return
    for how, file in (cfg.get(KEY) or {}).items():
        run_dir = Path(file).parent
        before = run_record.find(run_dir)
        record.start = {
            "how": {_WEIGHTS: "weights", _CHECKPOINT: "extended"}[how],
            "run": run_dir.name,
            "file": Path(file).name,
            "sha256": record.files.get(f"{KEY}.{how}", ""),
            "run_id": before.run_id if before else "",
            "code_version": before.code_version if before else "",
            "epochs": before.epochs if before else None,
        }


def lay_out(cfg: Config, run_dir: Path, record: RunRecord) -> None:
    """Make the folder of a run that extends another one such that a resumed training extends it."""
    file = (cfg.get(KEY) or {}).get(_CHECKPOINT)
    if file is None or newest_checkpoint(run_dir) is not None:
        return
    before = Path(file).parent
    record.curve = run_record.read(before).curve
    selected = best_checkpoint(before)
    state = torch.load(file, map_location="cpu", weights_only=True)
    _stretch(state, cfg)
    epoch = int(state["meta"]["epoch"])
    info = state["message_hub"]["runtime_info"]
    info["keep_ckpt_ids"] = [epoch]
    if selected is not None:
        shutil.copyfile(selected, run_dir / selected.name)
        info["best_ckpt"] = str(run_dir / selected.name)
    # The last file that is written: it is what a killed training goes on from.
    with replacing(run_dir / f"epoch_{epoch}.pth") as unfinished:
        torch.save(state, unfinished)


def _stretch(state: dict[str, Any], cfg: Config) -> None:
    """Bring a training state to where the schedule of a config is after as many steps."""
    steps, epochs = int(state["meta"]["iter"]), int(state["meta"]["epoch"])
    groups = state["optimizer"]["param_groups"]
    initial = [group["initial_lr"] for group in groups]
    rates, schedulers = _after(cfg, initial, steps, steps // epochs)
    for group, rate in zip(groups, rates, strict=True):
        group["lr"] = rate
    for old, new in zip(state["param_schedulers"], schedulers, strict=True):
        old |= {**new, "base_values": old["base_values"]}


def _after(
    cfg: Config, initial: Sequence[float], steps: int, epoch_length: int
) -> tuple[list[float], list[Mapping[str, Any]]]:
    """What a config's schedule makes of learning rates after some steps, and its states."""
    optimizer = torch.optim.SGD([{"params": [nn.Parameter(torch.zeros(1))], "lr": lr}
                                 for lr in initial])  # fmt: skip
    schedulers = []
    for node in schedule(cfg):
        kind = PARAM_SCHEDULERS.get(node.pop("type"))
        if node.pop("convert_to_iter_based", False):
            make = kind.build_iter_from_epoch
            schedulers.append(make(optimizer=optimizer, epoch_length=epoch_length, **node))
        else:
            schedulers.append(kind(optimizer=optimizer, **node))
    optimizer.step()
    for step in range(1, steps + 1):
        for scheduler in schedulers:
            if not scheduler.by_epoch or step % epoch_length == 0:
                scheduler.step()
    rates = [group["lr"] for group in optimizer.param_groups]
    return rates, [s.state_dict() for s in schedulers]


def load_start(cfg: Config, run_dir: Path, model: nn.Module) -> None:
    """Load the weights that a new training begins with, where its config names some.

    Raises:
        ValueError: where they do not fit the model.
    """
    file = (cfg.get(KEY) or {}).get(_WEIGHTS)
    if file is not None and newest_checkpoint(run_dir) is None:
        load_trained(model, Path(file))
