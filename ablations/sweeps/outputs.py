"""What a sweep leaves for people and figures: ``trials.csv``, ``sweep.json`` and ``best.py``.

``trials.csv`` has a row for every trial: number, state, the objectives by name, the parameters by
name (empty where one does not apply), num_trainable, left_out (clips of val that could not be
read), duration_s, base, best, run_dirs, same_as, retry_of, error. A pruned trial has the last score
that it reached. ``sweep.json``, schema 1, says what the columns mean::

    {"schema": 1, "name": "...", "title": "...", "base": "...", "seeds": [0],
     "objectives": [{"metric": "J", "direction": "maximize"}],
     "parameters": {"optim.optimizer.lr": {"type": "float", "low": 1e-4, ...}},
     "sampler": {"type": "tpe", "seed": 0}, "pruner": {"type": "hyperband"},
     "storage": "...", "trials": {"complete": 7, "pruned": 5}, "best": [3]}
"""

from __future__ import annotations

import csv
import io
import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from ablations.sweeps import study as keys
from ablations.sweeps.open_study import IS_BASE
from ablations.sweeps.study import SweepStudy
from ablations.sweeps.trial import DURATION, LEFT_OUT, SIZE, trial_config
from auralsam2 import config
from auralsam2.text_files import write_text

TRIALS, MANIFEST, BEST = "trials.csv", "sweep.json", "best.py"
SCHEMA = 1
# What waits in the queue is no trial yet.
STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
}


def write_outputs(study: SweepStudy) -> None:
    """Write all three files, each whole or not at all."""
    sweep = study.sweep
    trials = study.trials()
    best = best_numbers(study.study)
    sweep.out.mkdir(parents=True, exist_ok=True)
    write_text(sweep.out / TRIALS, _trials_csv(study, best))
    manifest = json.dumps(_manifest(study, best), indent=1)
    write_text(sweep.out / MANIFEST, manifest + "\n")
    if best:
        _write_best(study, trials[best[0]])
    if text := unequal_trials(trials):
        logging.getLogger(__name__).warning("%s: %s", sweep.name, text)


def unequal_trials(trials: Sequence[FrozenTrial]) -> str:
    """Say which complete trials were scored without clips that others were scored with."""
    held: dict[int, list[int]] = {}
    for trial in trials:
        if trial.state == TrialState.COMPLETE:
            held.setdefault(int(trial.user_attrs.get(LEFT_OUT) or 0), []).append(trial.number)
    if len(held) < 2:
        return ""
    listed = "; ".join(f"{n} in {', '.join(map(str, t))}" for n, t in sorted(held.items()))
    return f"trials were scored without different numbers of clips ({listed}): they do not compare"


def best_numbers(study: Study) -> list[int]:
    """Return the numbers of the trials that no other one beats, best in the first objective first.

    With one objective that is a single trial; of equal ones the first.
    """
    signs = [-1.0 if d == StudyDirection.MAXIMIZE else 1.0 for d in study.directions]
    front: dict[tuple[float, ...], int] = {}
    for trial in sorted(study.best_trials, key=lambda trial: trial.number):
        losses = tuple(sign * value for sign, value in zip(signs, trial.values, strict=True))
        front.setdefault(losses, trial.number)
    return [front[losses] for losses in sorted(front)]


def _trials_csv(study: SweepStudy, best: Sequence[int]) -> str:
    sweep = study.sweep
    objectives = [objective.metric for objective in sweep.objectives]
    parameters = [parameter.name for parameter in sweep.space.parameters]
    sizes = [] if SIZE in objectives else [SIZE]
    first = ["number", "state"]
    last = [LEFT_OUT, DURATION, "base", "best", keys.RUN_DIRS]
    last += [keys.SAME_AS, "retry_of", keys.ERROR]
    columns = [*first, *objectives, *parameters, *sizes, *last]
    ended = {trial.number for trial in study.ended()}
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for trial in study.trials(*STATES):
        retried = trial.state.is_finished() and trial.number not in ended
        writer.writerow(
            {
                **trial.user_attrs,
                "number": trial.number,
                "state": "retried" if retried else STATES[trial.state],
                **dict(zip(objectives, trial.values or [""] * len(objectives), strict=True)),
                **{name: str(value) for name, value in trial.params.items()},
                "base": int(bool(trial.user_attrs.get(IS_BASE))),
                "best": int(trial.number in best),
                keys.RUN_DIRS: " ".join(trial.user_attrs.get(keys.RUN_DIRS, [])),
                "retry_of": next(reversed(keys.history(trial)), ""),
            }
        )
    return text.getvalue()


def _manifest(study: SweepStudy, best: Sequence[int]) -> dict[str, Any]:
    sweep = study.sweep
    return {
        "schema": SCHEMA,
        "name": sweep.name,
        "title": sweep.title,
        "base": sweep.base,
        "seeds": list(sweep.seeds),
        "objectives": [{"metric": o.metric, "direction": o.direction} for o in sweep.objectives],
        "parameters": sweep.space.describe(),
        "sampler": {**_plain(sweep.sampler), "seed": sweep.sampler_seed},
        "pruner": _plain(sweep.pruner),
        "storage": study.address.shown,
        "trials": Counter(STATES[trial.state] for trial in study.ended()),
        "best": list(best),
    }


def _plain(node: Mapping[str, Any]) -> dict[str, Any]:
    plain = (bool, int, float, str, type(None))
    return {k: v if isinstance(v, plain) else repr(v) for k, v in node.items()}


def _write_best(study: SweepStudy, trial: FrozenTrial) -> None:
    sweep = study.sweep
    cfg = trial_config(sweep, trial.user_attrs[keys.VALUES])
    cfg.seed = sweep.seeds[0]
    scores = ", ".join(
        f"{o.metric} = {value:.6g}" for o, value in zip(sweep.objectives, trial.values, strict=True)
    )
    said = f"# Trial {trial.number} of the sweep {sweep.name}: {scores}\n"
    config.dump(cfg, sweep.out / BEST, said)
