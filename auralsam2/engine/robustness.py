"""Score a trained model on clips under many corruptions, each clip's frames encoded once."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from torch import nn
from torch.utils.data import DataLoader, Dataset

from auralsam2.data.collate import collate_clips
from auralsam2.engine.evaluate import frames_encoded_once
from auralsam2.metrics.clip_metric import supervised_frames
from auralsam2.metrics.detection import DetectionMetric, FalseAreaMetric
from auralsam2.metrics.jaccard import JaccardMetric
from auralsam2.registry import METRICS

Wanted = Mapping[Any, Sequence[str]]
"""Condition -> the clips to be scored under it."""


class ClipScores(NamedTuple):
    """Scores of one clip under one condition."""

    condition: Any  # as the data sets are named
    clip: str  # its name
    scores: dict[str, float]  # metric -> score, NaN where the clip does not count


@torch.no_grad()
def condition_scores(
    model: nn.Module, cfg: Config, datasets: Mapping[Any, Any], wanted: Wanted
) -> Iterator[ClipScores]:
    """Yield the scores of clips, batch by batch, each batch under all conditions in turn.

    Batches are those of an evaluation, and one is read at a time. Conditions of the same frames
    stand side by side in ``datasets`` and are encoded once.

    Args:
        model: trained.
        cfg: its config.
        datasets: by condition, of the same clips in the same order.
        wanted: clips of each condition; in batches that have others, too, all are scored.
    """
    metrics = scored_metrics(cfg)
    plan = _plan(datasets, wanted, cfg.data.batch_size)
    loader = DataLoader(
        _Conditions(datasets),
        batch_sampler=plan,
        num_workers=cfg.data.num_workers,
        collate_fn=_collate,
    )
    model.eval()
    with frames_encoded_once(model):
        for condition, batch in loader:
            for result in model.val_step(batch):
                yield ClipScores(condition, result["clip"], _scores(metrics, result))


def scored_metrics(cfg: Config) -> list[Any]:
    """J as the run's tests have it, false-positive area and detection rate."""
    stated = [METRICS.build(node) for node in cfg.evaluation.metrics]
    own = [metric for metric in stated if isinstance(metric, JaccardMetric)]
    return [*(own[:1] or [JaccardMetric()]), FalseAreaMetric(), DetectionMetric()]


def _scores(metrics: Sequence[Any], result: Mapping[str, Any]) -> dict[str, float]:
    scores = {}
    for metric in metrics:
        frames = supervised_frames(result, metric.size, metric.widen_truth)
        outcome = metric.score_clip(*frames)
        scores[metric.name] = math.nan if outcome is None else float(metric.clip_value(outcome))
    return scores


def _plan(datasets: Mapping[Any, Any], wanted: Wanted, size: int) -> list[list[tuple[str, int]]]:
    """Condition and number of the clips of every batch."""
    clips = list(next(iter(datasets.values())).clips)
    batches = [range(start, min(start + size, len(clips))) for start in range(0, len(clips), size)]
    missing = {condition: set(names) for condition, names in wanted.items()}
    return [
        [(condition, index) for index in batch]
        for batch in batches
        for condition in datasets
        if missing.get(condition, set()) & {clips[index] for index in batch}
    ]


class _Conditions(Dataset[tuple[Hashable, dict[str, Any]]]):
    """Items by condition and number."""

    def __init__(self, datasets: Mapping[Any, Any]) -> None:
        self.datasets = datasets

    def __getitem__(self, key: tuple[Hashable, int]) -> tuple[Hashable, dict[str, Any]]:
        condition, index = key
        return condition, self.datasets[condition][index]


def _collate(items: Sequence[tuple[Hashable, dict[str, Any]]]) -> tuple[Hashable, dict[str, Any]]:
    return items[0][0], collate_clips([item for _, item in items])
