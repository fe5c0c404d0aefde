"""Score a model by every protocol of the field in one pass over the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from torch import nn

from auralsam2.engine.evaluate import clip_loader
from auralsam2.metrics.protocols import BATCH, ProtocolsMetric, protocols
from auralsam2.models.decode import DECODE_MODES, clip_results, decode_mode
from auralsam2.structures import Prediction
from auralsam2.text_files import write_csv

NATIVE, WIDENED = "native", ":widened"


class Comparison(NamedTuple):
    """At which size masks are compared."""

    size: int | None = None  # side in pixels; None for the truth's own size
    # Bring the truth there by interpolation, so that all pixels which any of the object is left in
    # belong to it; else the nearest pixel is taken.
    widen_truth: bool = False

    @classmethod
    def parse(cls, text: str) -> Comparison:
        """Read ``native``, a side like ``224``, or ``256:widened``.

        Raises:
            ValueError: where it is none of them.
        """
        side = text.removesuffix(WIDENED)
        if text == NATIVE:
            return cls()
        if not side.isdecimal() or int(side) < 1:
            raise ValueError(f"got {text!r}; give native, a side like 224, or 256{WIDENED}")
        return cls(int(side), side != text)

    def __str__(self) -> str:
        return NATIVE if self.size is None else f"{self.size}{WIDENED * self.widen_truth}"


# AVSBench's benchmark compares at 224 pixels, whatever the model's input size; that of Ref-AVS at
# 256, and widens the truth on the way there.
SIZES = (Comparison(), Comparison(224), Comparison(256, widen_truth=True))


class ProtocolRow(NamedTuple):
    """One score."""

    split: str  # name of the data set
    decode: str  # which candidate mask was the answer
    size: str  # where masks were compared, as :meth:`Comparison.parse` reads it
    metric: str  # name of the protocol, see :func:`auralsam2.metrics.protocols.protocols`
    value: float  # not-a-number where nothing counts
    meaning: str  # what the protocol does, in one phrase
    num_clips: int  # that were scored
    left_out: int  # clips of the split that could not be read and were skipped


def evaluate_protocols(
    model: nn.Module,
    cfg: Config,
    datasets: Mapping[str, Any],
    sizes: Sequence[Comparison] = SIZES,
    group_size: int = BATCH,
) -> list[ProtocolRow]:
    """Score a model: one row per split, decode mode, size and metric, in this order.

    Each clip passes through the model once, whatever is asked for.

    Args:
        model: gives a ``Prediction`` with ``mode="tensor"``.
        cfg: a loaded config; batch size and workers are its.
        datasets: by split.
        sizes: at which masks are compared.
        group_size: clips of a batch, for the protocols that score batches.

    Raises:
        ValueError: on a size or group that is no positive number.
    """
    rows = []
    meanings = {protocol.name: protocol.meaning for protocol in protocols(group_size)}
    for split, dataset in datasets.items():
        metrics = {
            (decode, size): ProtocolsMetric(
                group_size, size=size.size, widen_truth=size.widen_truth
            )
            for decode in DECODE_MODES
            for size in sizes
        }
        _score_split(model, cfg, dataset, metrics)
        for (decode, size), metric in metrics.items():
            scores = metric.evaluate(len(dataset))
            counts = len(dataset), len(getattr(dataset, "left_out", ()))
            rows += [
                ProtocolRow(split, decode, str(size), name, float(value), meanings[name], *counts)
                for name, value in scores.items()
            ]
    return rows


def _score_split(
    model: nn.Module,
    cfg: Config,
    dataset: Any,
    metrics: Mapping[tuple[str, Comparison], ProtocolsMetric],
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


def write_rows(rows: Sequence[ProtocolRow], path: Path) -> None:
    """Write rows as CSV with a header."""
    write_csv(path, [ProtocolRow._fields, *rows])
