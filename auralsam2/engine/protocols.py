"""Score a model by every protocol of the field in one pass over the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from torch import nn

from auralsam2.engine.evaluate import batches_by_split, frames_encoded_once
from auralsam2.engine.metric_scales import NULL
from auralsam2.metrics.clip_metric import ClipMetric
from auralsam2.metrics.protocols import BATCH, ProtocolsMetric, protocols
from auralsam2.metrics.repositories import REPOSITORIES, SEPARATOR, Repository, benchmark
from auralsam2.models.decode import DECODE_MODES, clip_results, decode_mode
from auralsam2.models.one_mask import with_classes
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
    # Name of the protocol, see :func:`auralsam2.metrics.protocols.protocols`, or REPOSITORY/LETTER.
    metric: str
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

    Behind those of a split stand the scores of each repository, of the config's own decode mode at
    the repository's size: J and F, S where nothing of the split has an object and the repository
    has one, classes where model and data have them. Each clip passes through the model once for
    every sound, and its frames are encoded once, whatever is asked for.

    Args:
        model: gives a ``Prediction`` with ``mode="tensor"``.
        cfg: a loaded config; batch size and workers are its.
        datasets: by split.
        sizes: at which masks are compared.
        group_size: clips of a batch, for the protocols that score batches.

    Raises:
        ValueError: on a size or group that is no positive number.
    """
    meanings = {protocol.name: protocol.meaning for protocol in protocols(group_size)}
    scores = {
        split: _SplitScores(dataset, sizes, group_size) for split, dataset in datasets.items()
    }
    model.eval()
    with torch.no_grad(), frames_encoded_once(model):
        for split, batch in batches_by_split(cfg, datasets):
            data = model.data_preprocessor(batch, False)
            scores[split].add(data, model(**data, mode="tensor"), cfg.evaluation.decode)
    return [
        row
        for split, of_split in scores.items()
        for row in of_split.rows(split, cfg.evaluation.decode, meanings)
    ]


class _SplitScores:
    """Scores of one split in all modes, sizes and columns, batch by batch."""

    def __init__(self, dataset: Any, sizes: Sequence[Comparison], group_size: int) -> None:
        self.metrics = {
            decode: {
                size: ProtocolsMetric(group_size, size=size.size, widen_truth=size.widen_truth)
                for size in sizes
            }
            for decode in DECODE_MODES
        }
        self.columns = _Columns(dataset)
        self.counts = len(dataset), len(getattr(dataset, "left_out", ()))

    def add(self, data: Mapping[str, Any], prediction: Prediction, own_mode: str) -> None:
        """Score the clips of a batch; repositories score the config's ``own_mode``."""
        shown = data["native_masks"], data["supervised"], data["clip"]
        for name, metrics in self.metrics.items():
            results = clip_results(prediction, decode_mode(name), *shown)
            for metric in metrics.values():
                metric.process(data, results)
            if name == own_mode:
                semantic = data.get("native_semantic", data.get("semantic"))
                self.columns.process(data, with_classes(results, prediction, semantic))

    def rows(self, split: str, own_mode: str, meanings: Mapping[str, str]) -> list[ProtocolRow]:
        """The scores of all batches."""
        rows = [
            ProtocolRow(split, mode, str(size), name, float(value), meanings[name], *self.counts)
            for mode, metrics in self.metrics.items()
            for size, metric in metrics.items()
            for name, value in metric.evaluate(self.counts[0]).items()
        ]
        return [*rows, *self.columns.rows(split, own_mode, *self.counts)]


class _Columns:
    """What every repository gives of a split."""

    def __init__(self, dataset: Any) -> None:
        data = benchmark(getattr(dataset, "label_source", ""))
        self.metrics = [(each, each.build(data)) for each in REPOSITORIES]
        self.any_object = self.any_classes = False

    def process(self, data: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> None:
        """Score the clips of a batch."""
        self.any_object |= any(bool((result["masks"] > 0).any()) for result in results)
        self.any_classes |= all({"semantic", "class_logits"} <= result.keys() for result in results)
        for _, _, metric in self._counting():
            metric.process(data, results)

    def rows(self, split: str, decode: str, *counts: int) -> Iterator[ProtocolRow]:
        """The scores that mean something."""
        for repository, letter, metric in self._counting():
            (value,) = metric.evaluate(counts[0]).values()
            if metric.subject == NULL and self.any_object:
                continue
            size = Comparison(metric.size, metric.widen_truth)
            name = f"{repository.name}{SEPARATOR}{letter}"
            yield ProtocolRow(split, decode, str(size), name, value, repository.meaning, *counts)

    def _counting(self) -> Iterator[tuple[Repository, str, ClipMetric]]:
        for repository, metrics in self.metrics:
            if self.any_classes or not repository.of_classes:
                yield from ((repository, letter, metric) for letter, metric in metrics.items())


def write_rows(rows: Sequence[ProtocolRow], path: Path) -> None:
    """Write rows as CSV with a header."""
    write_csv(path, [ProtocolRow._fields, *rows])
