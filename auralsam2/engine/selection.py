"""Which epoch of a run counts, by a metric of val; and what becomes of one that is no number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from auralsam2.engine.metric_scales import scales_of
from auralsam2.metrics.clip_metric import ClipMetric
from auralsam2.registry import METRICS

LAST_WEIGHTS = "last.safetensors"
"""Weights of the last epoch, kept where none could be selected."""


def better(metrics: Sequence[Any], name: str, key: str = "evaluation.select_by") -> str:
    """Mmengine's rule of what is better in a metric.

    Args:
        metrics: of val.
        name: of one of them.
        key: where it was stated.

    Raises:
        ValueError: where there is no such metric.
    """
    scales = scales_of(metrics)
    rules = {name: "greater" if s.higher_is_better else "less" for name, s in scales.items()}
    if name not in rules:
        known = ", ".join(rules)
        raise ValueError(f"{key} got {name!r}; evaluation.metrics give: {known}")
    return rules[name]


def check_selection(cfg: Config, val: Any) -> None:
    """Refuse to select by a metric that is not a number on val whatever is predicted.

    The truth of val stands in for predictions, clip by clip until one counts, which with most
    metrics is the first.

    Args:
        cfg: a loaded config.
        val: its data set.

    Raises:
        ValueError: where val is empty, there is no such metric, or no clip of val counts in it.
    """
    if not len(val):
        raise ValueError("data.val holds no clip, and the weights of a run are selected on it")
    name = cfg.evaluation.select_by
    metrics = [METRICS.build(node) for node in cfg.evaluation.metrics]
    better(metrics, name)
    chosen = next(metric for metric in metrics if metric.name == name)
    if type(chosen).process is not ClipMetric.process:
        return  # it reads more of a prediction than its masks
    if not any(_counts(chosen, val[index]) for index in range(len(val))):
        others = ", ".join(metric.name for metric in metrics if metric is not chosen)
        raise ValueError(
            f"evaluation.select_by={name!r} is not a number on data.val: none of its {len(val)} "
            f"clips counts in that metric; select by another one ({others or 'none is stated'})"
        )


def _counts(metric: ClipMetric, item: dict[str, Any]) -> bool:
    truth, supervised = item["native_masks"], item["supervised"]
    if not supervised.any():
        return False
    sample = dict(clip=item["clip"], mask_logits=truth.float() * 2 - 1, masks=truth)
    metric.results.clear()
    metric.process(None, [{**sample, "supervised": supervised}])
    ((_, outcome),) = metric.results
    metric.results.clear()
    return outcome is not None and math.isfinite(metric.average([outcome]))


def nothing_selected(cfg: Config, run_dir: Path) -> str:
    """Say that the metric that selects was no number, and where the weights are."""
    return (
        f"evaluation.select_by={cfg.evaluation.select_by!r} was not a number in any validation, so "
        f"that no epoch is the best; the weights of the last one are in '{run_dir / LAST_WEIGHTS}' "
        "(auralsam2 eval-checkpoint scores them): train anew and select by another metric"
    )
