"""Score a model by every protocol of the field in one pass over the data."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from torch import nn

from auralsam2.engine.evaluate import clip_loader
from auralsam2.metrics.protocols import REF_AVS_GROUP, ProtocolsMetric
from auralsam2.models.decode import DECODE_MODES, clip_results, decode_mode
from auralsam2.structures import Prediction

NATIVE = "native"
# AVSBench's benchmark compares at 224 pixels, whatever the model's input size.
SIZES: tuple[int | None, ...] = (None, 224)


class ProtocolRow(NamedTuple):
    """One score.

    Attributes:
        split: name of the data set.
        decode: which candidate mask was the answer.
        size: side at which masks were compared, ``native`` or a number of pixels.
        metric: name of the protocol, see :func:`auralsam2.metrics.protocols.protocol_scores`.
        value: the score; not-a-number where nothing counts.
    """

    split: str
    decode: str
    size: str
    metric: str
    value: float


def evaluate_protocols(
    model: nn.Module,
    cfg: Config,
    datasets: Mapping[str, Any],
    decodes: Sequence[str] = tuple(DECODE_MODES),
    sizes: Sequence[int | None] = SIZES,
    group_size: int = REF_AVS_GROUP,
    on_batch: Callable[[], None] | None = None,
) -> list[ProtocolRow]:
    """Score a model; each clip passes through it once, whatever is asked for.

    Args:
        model: gives a ``Prediction`` with ``mode="tensor"``.
        cfg: a loaded config; batch size and workers are its.
        datasets: by split.
        decodes: names of decode modes.
        sizes: sides in pixels at which masks are compared; None for the truth's own size.
        group_size: clips of a batch, for ``F_batch``.
        on_batch: called after every batch.

    Returns:
        One row per split, decode mode, size and metric, in this order.

    Raises:
        ValueError: on an unknown decode mode, or a size or group that is no positive number.
    """
    rows = []
    for split, dataset in datasets.items():
        metrics = {
            (decode, size): ProtocolsMetric(size, group_size)
            for decode in decodes
            for size in sizes
        }
        _score_split(model, cfg, dataset, metrics, on_batch)
        for (decode, size), metric in metrics.items():
            side = NATIVE if size is None else str(size)
            scores = metric.evaluate(len(dataset))
            rows += [ProtocolRow(split, decode, side, k, float(v)) for k, v in scores.items()]
    return rows


def _score_split(
    model: nn.Module,
    cfg: Config,
    dataset: Any,
    metrics: Mapping[tuple[str, int | None], ProtocolsMetric],
    on_batch: Callable[[], None] | None,
) -> None:
    modes = {name: decode_mode(name) for name, _ in metrics}
    model.eval()
    with torch.no_grad():
        for batch in clip_loader(cfg, dataset):
            data = model.data_preprocessor(batch, False)
            prediction: Prediction = model(**data, mode="tensor")
            shown = data["native_masks"], data["supervised"], data["clip"]
            for name, decode in modes.items():
                results = clip_results(prediction, decode, *shown)
                for (wanted, _), metric in metrics.items():
                    if wanted == name:
                        metric.process(data, results)
            if on_batch is not None:
                on_batch()


def write_rows(rows: Sequence[ProtocolRow], path: Path) -> None:
    """Write rows as CSV with a header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(ProtocolRow._fields)
        writer.writerows(rows)
