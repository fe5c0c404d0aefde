"""What a sweep looks for: a score on val, or a measure of the model, read from run records."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ablations.grids.axes import repeated
from ablations.sweeps.search_space import SweepError
from auralsam2.engine.metric_scales import scales_of
from auralsam2.engine.run_record import RunRecord
from auralsam2.messages import unknown_name
from auralsam2.registry import METRICS

SPLIT = "val"
DIRECTIONS = ("maximize", "minimize")
_KEYS = ("metric", "split", "direction")


class NoValueError(ValueError):
    """A finished run whose record does not hold what the sweep looks for."""


class Measure(NamedTuple):
    """Something that a record says about a run besides its scores."""

    field: str  # of the record, a dict that holds it under ``key``
    key: str
    direction: str  # which way it is better
    switch: str | None = None  # key of ``evaluation`` without which it is not measured


MEASURES = {
    "num_trainable": Measure("num_parameters", "trainable", "minimize"),
    "num_parameters": Measure("num_parameters", "total", "minimize"),
    "fps": Measure("speed", "fps", "maximize", "measure_speed"),
    "decoder_fps": Measure("speed", "decoder_fps", "maximize", "measure_speed"),
}


class Objective(NamedTuple):
    """One number that a sweep makes as large or as small as it can."""

    # A metric of the config, whose score on val at the selected epoch counts, or one of `MEASURES`.
    metric: str
    direction: str  # one of `DIRECTIONS`

    @property
    def is_score(self) -> bool:
        """Whether it has a curve, on which a trial can be pruned."""
        return self.metric not in MEASURES

    def value(self, record: RunRecord) -> float:
        """Return the number of a finished run.

        Raises:
            NoValueError: where the record does not hold it, or it is not a number.
        """
        measure = MEASURES.get(self.metric)
        try:
            if measure is None:
                value = _score(record, self.metric)
            else:
                value = float(getattr(record, measure.field)[measure.key])
        except KeyError as error:
            switch = measure.switch if measure else None
            hint = f"; is evaluation.{switch} off?" if switch else ""
            raise NoValueError(f"the record of the run holds no {self.metric!r}{hint}") from error
        if not math.isfinite(value):
            raise NoValueError(f"{self.metric} is {value}")
        return value


def parse_objectives(raw: Sequence[Any], cfg: Any) -> tuple[Objective, ...]:
    """Read the ``objectives`` of a sweep file: metrics of its base config, or `MEASURES`.

    Args:
        raw: each ``dict(metric=..., direction=...)``; the direction may be left out.
        cfg: the base config, whose metrics are known.

    Raises:
        SweepError: with all problems at once.
    """
    scores = metric_directions(cfg)
    known = {**scores, **{name: measure.direction for name, measure in MEASURES.items()}}
    problems = [] if raw else ["objectives: state at least one, e.g. [dict(metric='J')]"]
    objectives = []
    for index, stated in enumerate(raw):
        found = list(_problems_of(stated, known, cfg))
        problems += [f"objectives, number {index}: {problem}" for problem in found]
        if not found:
            metric = stated["metric"]
            objectives.append(Objective(metric, stated.get("direction", known[metric])))
    twice = repeated(objective.metric for objective in objectives)
    problems += [f"objectives: {name} stands more than once" for name in twice]
    if problems:
        raise SweepError(problems)
    return tuple(objectives)


def metric_directions(cfg: Any) -> dict[str, str]:
    """Return name -> better direction of the metrics of a config."""
    scales = scales_of([METRICS.build(node) for node in cfg.evaluation.metrics])
    return {name: DIRECTIONS[0 if s.higher_is_better else 1] for name, s in scales.items()}


def _problems_of(stated: Any, known: Mapping[str, str], cfg: Any) -> Iterable[str]:
    if not isinstance(stated, Mapping) or not isinstance(stated.get("metric"), str):
        yield f"got {stated!r}, wanted dict(metric=..., direction=...)"
        return
    yield from (unknown_name("key", str(key), _KEYS) for key in stated if key not in _KEYS)
    if stated["metric"] not in known:
        yield "metric: " + unknown_name("metric", stated["metric"], known)
    measure = MEASURES.get(stated["metric"])
    if measure and measure.switch and not cfg.evaluation.get(measure.switch, True):
        yield f"metric: {stated['metric']} needs evaluation.{measure.switch} = True"
    direction, better = stated.get("direction", DIRECTIONS[0]), known.get(stated["metric"])
    if direction not in DIRECTIONS:
        yield f"direction: got {direction!r}, wanted {' or '.join(DIRECTIONS)}"
    elif better and stated.get("direction", better) != better:
        yield f"direction: got {direction!r}, yet {stated['metric']} says {better!r} of itself"
    if stated.get("split", SPLIT) != SPLIT:
        yield (
            f"split: got {stated['split']!r}; a sweep chooses on {SPLIT!r} only, what is chosen "
            "on a test split cannot be reported on it"
        )


def _score(record: RunRecord, metric: str) -> float:
    """The score on val at the epoch whose weights were kept."""
    if record.selection.get("metric") == metric:
        return float(record.selection["value"])
    for entry in record.curve:
        if entry["epoch"] == record.best_epoch and entry["split"] == SPLIT:
            return float(entry["scores"][metric])
    raise KeyError(metric)
