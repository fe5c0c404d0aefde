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
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ablations.sweeps import study as keys
from ablations.sweeps.open_study import IS_BASE
from ablations.sweeps.trial import trial_config
from auralsam2 import config
from auralsam2.text_files import write_text

if TYPE_CHECKING:
    from ablations.sweeps.study import SweepStudy

TRIALS, MANIFEST, BEST = "trials.csv", "sweep.json", "best.py"
SCHEMA = 1
# Optuna's name of a state -> ours; what waits in the queue is no trial yet.
STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "running"}


def write_outputs(study: SweepStudy) -> list[int]:
    """Write all three files, each whole or not at all.

    Returns:
        Numbers of the best trials: one, or with several objectives those that no other one beats
        in all of them, the best in the first objective first.
    """
    sweep = study.sweep
    trials = study.trials()
    best = best_numbers(trials, [o.direction for o in sweep.objectives])
    sweep.out.mkdir(parents=True, exist_ok=True)
    write_text(sweep.out / TRIALS, _trials_csv(study, trials, best))
    manifest = json.dumps(_manifest(study, best), indent=1)
    write_text(sweep.out / MANIFEST, manifest + "\n")
    if best:
        _write_best(study, trials[best[0]])
    if text := unequal_trials(trials):
        logging.getLogger(__name__).warning("%s: %s", sweep.name, text)
    return best


def unequal_trials(trials: Sequence[Any]) -> str:
    """Say which complete trials were scored without clips that others were scored with."""
    held: dict[int, list[int]] = {}
    for trial in trials:
        if trial.state.name == "COMPLETE":
            held.setdefault(int(trial.user_attrs.get(keys.LEFT_OUT) or 0), []).append(trial.number)
    if len(held) < 2:
        return ""
    listed = "; ".join(f"{n} in {', '.join(map(str, t))}" for n, t in sorted(held.items()))
    return f"trials were scored without different numbers of clips ({listed}): they do not compare"


def best_numbers(trials: Sequence[Any], directions: Sequence[str]) -> list[int]:
    """Return the numbers of complete trials that no other one beats, best first objective first.

    With one objective that is a single trial; of equal ones the first.

    Args:
        trials: of the study.
        directions: ``"maximize"`` or ``"minimize"`` for each objective.
    """
    signs = [-1.0 if direction == "maximize" else 1.0 for direction in directions]
    losses = {
        trial.number: tuple(sign * value for sign, value in zip(signs, trial.values, strict=True))
        for trial in trials
        if trial.state.name == "COMPLETE"
    }
    front: dict[tuple[float, ...], int] = {}
    for number, loss in losses.items():
        beaten = any(other != loss and _no_worse(other, loss) for other in losses.values())
        if not beaten:
            front.setdefault(loss, number)
    return [front[loss] for loss in sorted(front)]


def _no_worse(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True))


def _trials_csv(study: SweepStudy, trials: Sequence[Any], best: Sequence[int]) -> str:
    sweep = study.sweep
    parameters = [parameter.name for parameter in sweep.space.parameters]
    objectives = [objective.metric for objective in sweep.objectives]
    ended = {trial.number for trial in study.ended()}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    sizes = [] if keys.SIZE in objectives else [keys.SIZE]
    first = ["number", "state"]
    last = ["left_out", "duration_s", "base", "best", "run_dirs"]
    names = [*first, *objectives, *parameters, *sizes, *last, "same_as", "retry_of", "error"]
    writer.writerow(names)
    for trial in trials:
        if trial.state.name not in STATES:
            continue  # waits in the queue
        attrs = trial.user_attrs
        retried = trial.state.is_finished() and trial.number not in ended
        history = trial.system_attrs.get("retry_history", [])
        writer.writerow(
            [
                trial.number,
                "retried" if retried else STATES[trial.state.name],
                *(trial.values or [""] * len(objectives)),
                *(_cell(trial.params, name) for name in parameters),
                *(_blank(attrs.get(size)) for size in sizes),
                _blank(attrs.get(keys.LEFT_OUT)),
                _blank(attrs.get(keys.DURATION)),
                int(bool(attrs.get(IS_BASE))),
                int(trial.number in best),
                " ".join(attrs.get(keys.RUN_DIRS, [])),
                _blank(attrs.get(keys.SAME_AS)),
                history[-1] if history else "",
                attrs.get(keys.ERROR, ""),
            ]
        )
    return text.getvalue()


def _cell(values: Mapping[str, Any], name: str) -> str:
    return str(values[name]) if name in values else ""


def _blank(value: Any) -> Any:
    return "" if value is None else value


def _manifest(study: SweepStudy, best: Sequence[int]) -> dict[str, Any]:
    sweep = study.sweep
    counts: dict[str, int] = {}
    for trial in study.ended():
        state = STATES[trial.state.name]
        counts[state] = counts.get(state, 0) + 1
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
        "trials": counts,
        "best": list(best),
    }


def _plain(node: Mapping[str, Any]) -> dict[str, Any]:
    plain = (bool, int, float, str, type(None))
    return {k: v if isinstance(v, plain) else repr(v) for k, v in node.items()}


def _write_best(study: SweepStudy, trial: Any) -> None:
    sweep = study.sweep
    cfg = trial_config(sweep, trial.user_attrs[keys.VALUES])
    cfg.seed = sweep.seeds[0]
    target = sweep.out / BEST
    scores = ", ".join(
        f"{o.metric} = {value:.6g}" for o, value in zip(sweep.objectives, trial.values, strict=True)
    )
    beside = target.with_name(f".{BEST}.{uuid.uuid4().hex}.py")
    try:
        config.dump(cfg, beside)
        said = f"# Trial {trial.number} of the sweep {sweep.name}: {scores}\n"
        write_text(target, said + beside.read_text(encoding="utf-8"))
    finally:
        beside.unlink(missing_ok=True)
