"""Numbers of a run that are no scores: what may stand beside the scores in a table.

`EXTRA_COLUMNS` is the one list of them, for ``--columns``, its help, recipes and errors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from auralsam2.engine.metric_scales import MetricScale, scale_of_older
from auralsam2.engine.parameter_parts import PARTS
from auralsam2.messages import unknown_name

if TYPE_CHECKING:
    from auralsam2.engine.run_record import RunRecord

SPEED = "speed."
"""What stands before a measure's name in the columns of `Results.runs`."""
NEARLY = 0.95
"""Of the best validation score."""
_MILLION, _GIB = 1e-6, 2.0**-30
CONDITIONS = {
    "speed_conditions": "speeds",
    "operation_conditions": "operations",
    "step_conditions": "training steps",
}
"""Columns of `Results.runs` that say how numbers were measured -> which numbers."""


class ExtraColumn(NamedTuple):
    """A number of a run that is no score."""

    header: str  # as printed
    source: str  # column of `Results.runs`
    meaning: str  # in a few words
    scale: float = 1.0  # what the number is multiplied by
    conditions: str = ""  # one of `CONDITIONS`, where it hangs on any
    usual: bool = False  # whether it is shown where nobody says which columns

    @property
    def many(self) -> bool:
        """Whether it is one of the columns that every part of a model has."""
        return ":" in self.source


EXTRA_COLUMNS = {
    "params": ExtraColumn(
        "trained (M)", "num_trainable", "trained parameters, 10^6", _MILLION, usual=True
    ),
    "total_params": ExtraColumn("parameters (M)", "num_parameters", "all parameters", _MILLION),
    "gflops": ExtraColumn(
        *("GFLOPs", "gflops", "10^9 operations of an evaluated frame"),
        conditions="operation_conditions",
    ),
    "decoder_gflops": ExtraColumn(
        *("decoder GFLOPs", "decoder_gflops", "those with the frames already encoded"),
        conditions="operation_conditions",
    ),
    "fps": ExtraColumn(
        *("FPS", f"{SPEED}fps", "frames a second of the whole model"),
        conditions="speed_conditions",
        usual=True,
    ),
    "decoder_fps": ExtraColumn(
        *("decoder FPS", f"{SPEED}decoder_fps", "the same with the frames already encoded"),
        conditions="speed_conditions",
        usual=True,
    ),
    "epochs_to_95": ExtraColumn(
        *("epochs to 95 %", "epochs_to_95"),
        "first epoch whose validation score is at least 95 % of the best one",
    ),
    "step_seconds": ExtraColumn(
        *("s/step", "step_seconds", "seconds of a training step, waiting for data apart"),
        conditions="step_conditions",
    ),
    "step_memory": ExtraColumn(
        *("GiB/step", "step_gpu_bytes", "GPU memory of a training step; nothing on a CPU", _GIB),
        conditions="step_conditions",
    ),
    "passes": ExtraColumn(
        "encoder passes", "encoder_passes", "passes of the image encoder for clicks, a frame"
    ),
    **{
        f"params:{part}": ExtraColumn(
            f"trained {part.replace('_', ' ')} (M)", f"trained:{part}", "", _MILLION
        )
        for part in PARTS
    },
    **{
        f"total_params:{part}": ExtraColumn(
            f"{part.replace('_', ' ')} (M)", f"parameters:{part}", "", _MILLION
        )
        for part in PARTS
    },
}
EACH_PART = ("params:", "total_params:")
"""Written alone, they are the columns of every part that counts something in some run."""


def columns_in_words() -> str:
    """Return all columns with what they are, for a help text."""
    single = [f"{n} ({c.meaning})" for n, c in EXTRA_COLUMNS.items() if not c.many]
    parts = f"params:PART and total_params:PART of a part of the model ({', '.join(PARTS)})"
    return f"{', '.join(single)}, {parts}, {' and '.join(EACH_PART)} of every part"


def chosen_columns(names: Sequence[str], held: Sequence[str]) -> list[str]:
    """Return the columns that names stand for, each once.

    Args:
        names: of `EXTRA_COLUMNS` or `EACH_PART`.
        held: columns of `Results.runs` that have a number which is not zero.

    Raises:
        ValueError: for unknown names, all at once.
    """
    known = [*EXTRA_COLUMNS, *EACH_PART]
    if unknown := [unknown_name("column", name, known) for name in names if name not in known]:
        raise ValueError("\n".join(unknown))
    found: dict[str, None] = {}
    for name in names:
        every = [f"{name}{part}" for part in PARTS] if name in EACH_PART else []
        found |= dict.fromkeys(n for n in every if EXTRA_COLUMNS[n].source in held)
        found |= {} if name in EACH_PART else {name: None}
    return list(found)


def measures_of(record: RunRecord) -> dict[str, Any]:
    """Return what a record has for columns of `Results.runs`; what it lacks is None or absent."""
    environment = record.environment
    return {
        "num_parameters": record.num_parameters.get("total"),
        "num_trainable": record.num_parameters.get("trainable"),
        "duration_s": record.duration_s,
        "encoder_passes": environment.get("encoder_passes", {}).get("both"),
        "epochs_to_95": epochs_to_nearly_best(record),
        "speed_conditions": _said(environment.get("speed", {})),
        "operation_conditions": _said(environment.get("operations", {})),
        "step_conditions": _step_conditions(record),
        **record.cost,
        **{f"{SPEED}{measure}": value for measure, value in record.speed.items()},
        **(_of_parts(record) if record.parameters_by_part else {}),
    }


def _of_parts(record: RunRecord) -> dict[str, int]:
    counts, none = record.parameters_by_part, {"total": 0, "trainable": 0}
    return {
        f"{name}:{part}": counts.get(part, none)[key]
        for name, key in (("parameters", "total"), ("trained", "trainable"))
        for part in PARTS
    }


def epochs_to_nearly_best(record: RunRecord) -> int | None:
    """Return the first epoch whose validation score is `NEARLY` the best one of the run.

    The score is the one that selects the weights. Where higher is better, nearly is at least 0.95
    of the best; where lower is, at most the best over 0.95. Epochs that were not validated do not
    count; None of a run without validations, or whose best score is not above zero.
    """
    metric = record.selection.get("metric", "")
    known = [(int(e["epoch"]), e["scores"].get(metric, math.nan)) for e in record.curve]
    scores = {epoch: score for epoch, score in known if math.isfinite(score)}
    held = record.scales.get(metric)
    scale = MetricScale.from_json(held) if held else scale_of_older(metric)
    best = (max if scale.higher_is_better else min)(scores.values(), default=0.0)
    if best <= 0:
        return None
    if scale.higher_is_better:
        return min(epoch for epoch, score in scores.items() if score >= NEARLY * best)
    return min(epoch for epoch, score in scores.items() if score <= best / NEARLY)


def _step_conditions(record: RunRecord) -> str:
    if not (step := record.environment.get("step")):
        return ""
    device = {key: record.environment.get(key) for key in ("device", "num_threads", "amp")}
    return _said({**{key: value for key, value in device.items() if value}, **step})


def _said(conditions: dict[str, Any]) -> str:
    """Return what a number depends on apart from the model; how often it was read says nothing."""
    return ", ".join(f"{k} {v}" for k, v in conditions.items() if k not in ("repeats", "steps"))
