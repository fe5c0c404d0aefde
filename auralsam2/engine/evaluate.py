"""Evaluate a model on the splits of a config."""

from __future__ import annotations

import auralsam2.mmengine_fixes  # noqa: F401  (before all else of mmengine)

# isort: split

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
from mmengine.config import Config
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader, Dataset

from auralsam2.data.collate import collate_clips
from auralsam2.data.heard import shown_log_mel
from auralsam2.devices import set_up_device
from auralsam2.engine.acceleration import accelerate
from auralsam2.engine.checkpoint import load_trained
from auralsam2.engine.clicks import ClickScores, means_and_clips
from auralsam2.engine.metric_scales import MetricScale, scales_of
from auralsam2.engine.run_folder import check_files
from auralsam2.kept_files import archive_bytes, keep
from auralsam2.metrics.null_split import AreaMetric
from auralsam2.models.cached_encoder import CachedEncoder
from auralsam2.models.feature_cache import LastAnswer
from auralsam2.registry import METRICS, MODELS


class SplitResult(NamedTuple):
    """Scores of one split."""

    metrics: dict[str, float]  # mean over clips, by metric
    per_clip: dict[str, dict[str, float]]  # metric -> clip -> score
    # Clip -> why it could not be read, where the config lets corrupt clips be skipped; the scores
    # are means over the others.
    left_out: dict[str, str]


class EvalResult(NamedTuple):
    """What an evaluation has found."""

    splits: dict[str, SplitResult]  # scores by split
    saved: dict[str, NDArray[Any]]  # masks of a few clips
    scales: dict[str, MetricScale]  # metric -> how to read it
    notes: Sequence[str] = ()  # what is asked for and not there, and why


def evaluate_model(
    model: nn.Module,
    cfg: Config,
    datasets: Mapping[str, Any],
    run_dir: Path | None = None,
) -> EvalResult:
    """Score a built model on data sets; the first ``num_saved_clips`` clips of each are kept.

    Splits of the same clips, such as a test set and its controls, go through the model side by
    side, so that their frames are encoded once. With ``evaluation.clicks`` every split that is no
    control is followed by what clicks make of it, see :mod:`auralsam2.engine.clicks`.

    Args:
        model: called with ``val_step``.
        cfg: a loaded config.
        datasets: by split.
        run_dir: gets ``predictions.npz`` with what is kept; None writes nothing.
    """
    scores = {split: _SplitScores(cfg, dataset) for split, dataset in datasets.items()}
    clicks = ClickScores(cfg, model, datasets)
    model.eval()
    with torch.no_grad(), frames_encoded_once(model):
        for split, batch in batches_by_split(cfg, datasets):
            scores[split].add(batch, model.val_step(batch))
            clicks.add(split, batch)
    results: dict[str, SplitResult] = {}
    for split, of_split in scores.items():
        results[split] = own = of_split.result()
        for name, *found in clicks.results(split):
            results[name] = SplitResult(*found, own.left_out)
    saved = {f"{split}/{key}": v for split, of in scores.items() for key, v in of.saved.items()}
    if run_dir is not None and saved:
        keep(run_dir / "predictions.npz", archive_bytes(saved))
    metrics = [metric for of_split in scores.values() for metric in of_split.metrics]
    notes = [clicks.problem] if clicks.problem else []
    return EvalResult(results, saved, scales_of([*metrics, *clicks.metrics]), notes)


class _SplitScores:
    """Scores of one split, batch by batch."""

    def __init__(self, cfg: Config, dataset: Any) -> None:
        self.metrics = [METRICS.build(node) for node in cfg.evaluation.metrics]
        names = [metric.name for metric in self.metrics]
        if getattr(dataset, "empty_truth", False) and AreaMetric.key not in names:
            self.metrics.append(AreaMetric())
        self.left_out: dict[str, str] = dict(getattr(dataset, "left_out", ()))
        self.num_clips, self.wanted = len(dataset), int(cfg.evaluation.num_saved_clips)
        self.saved: dict[str, NDArray[Any]] = {}

    def add(self, batch: dict[str, Any], results: list[dict[str, Any]]) -> None:
        """Score the clips of a batch, and keep their masks where they are among the first."""
        for metric in self.metrics:
            metric.process(batch, results)
        for i, result in enumerate(results[: self.wanted]):
            self.saved |= _to_save(batch, i, result)
        self.wanted -= min(self.wanted, len(results))

    def result(self) -> SplitResult:
        """Means and scores of single clips."""
        return SplitResult(*means_and_clips(self.metrics, self.num_clips), self.left_out)


def frames_encoded_once(model: nn.Module) -> AbstractContextManager[None]:
    """Let a model without a feature cache remember the frames that it saw last."""
    if getattr(model, "feature_cache", False) is None:
        return with_attribute(model, "feature_cache", LastAnswer())
    if isinstance(encoder := getattr(model, "image_encoder", None), nn.Module):
        return with_attribute(encoder, "forward", partial(LastAnswer(), compute=encoder.forward))
    return nullcontext()  # it has a cache, or its encoder sees more than frames


@contextmanager
def nothing_kept(model: nn.Module) -> Iterator[None]:
    """Let a model encode frames, sounds and words anew every time, as if it had met none before."""
    with ExitStack() as replaced:
        replaced.enter_context(with_attribute(model, "feature_cache", None))
        for encoder in [part for part in model.modules() if isinstance(part, CachedEncoder)]:
            replaced.enter_context(with_attribute(encoder, "cache", None))
        yield


def with_attribute(owner: Any, name: str, value: Any) -> AbstractContextManager[Any]:
    """Give an attribute another value for a while, where there is one of that name."""
    return patch.object(owner, name, value) if hasattr(owner, name) else nullcontext()


def batches_by_split(cfg: Config, datasets: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield split and batch of all data sets: of the same clips one split after the other.

    In `frames_encoded_once` they are then encoded once, and a data set that several controls share
    decodes each clip once.
    """
    for splits in _of_the_same_clips(datasets):
        together = _SideBySide([datasets[split] for split in splits])
        for batches in _loader(cfg, together, _collate_each):
            yield from zip(splits, batches, strict=True)


def _of_the_same_clips(datasets: Mapping[str, Any]) -> list[list[str]]:
    """Names of data sets, together where their clips are the same in the same order."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for split, dataset in datasets.items():
        groups.setdefault(tuple(dataset.clips), []).append(split)
    return list(groups.values())


class _SideBySide(Dataset[tuple[dict[str, Any], ...]]):
    """Item i of all data sets.

    torch's StackDataset reads a batch of one after the other, and so again what they share.
    """

    def __init__(self, datasets: Sequence[Any]) -> None:
        self.datasets = datasets

    def __len__(self) -> int:
        return len(self.datasets[0])

    def __getitem__(self, index: int) -> tuple[dict[str, Any], ...]:
        return tuple(dataset[index] for dataset in self.datasets)


def _collate_each(items: Sequence[tuple[dict[str, Any], ...]]) -> list[dict[str, Any]]:
    return [collate_clips(column) for column in zip(*items, strict=True)]


def clip_loader(cfg: Config, dataset: Any) -> DataLoader[Any]:
    """Batches of a data set in its own order."""
    return _loader(cfg, dataset, collate_clips)


def _loader(cfg: Config, dataset: Any, collate: Callable[..., Any]) -> DataLoader[Any]:
    size, workers = cfg.data.batch_size, cfg.data.num_workers
    return DataLoader(dataset, batch_size=size, num_workers=workers, collate_fn=collate)


def _to_save(batch: dict[str, Any], i: int, result: dict[str, Any]) -> dict[str, NDArray[Any]]:
    name = result["clip"]
    arrays = {
        "frames": batch["frames"][i].permute(0, 2, 3, 1).to(torch.uint8),
        "truth": batch["native_masks"][i].to(torch.uint8),
        "prediction": (result["mask_logits"] > 0).to(torch.uint8),
        "log_mel": shown_log_mel(batch["log_mel"][i]),
    }
    return {f"{name}/{key}": value.cpu().numpy() for key, value in arrays.items()}


def build_model(cfg: Config) -> nn.Module:
    """The model of a config, with the image size and decode mode that the config states.

    Random weights are those that the config's training begins with: of frozen parts they stand in
    no checkpoint, and a run has to be the same whenever it is looked at again.
    """
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(cfg.seed)
        return MODELS.build(
            cfg.model.to_dict(), image_size=cfg.data.image_size, decode=cfg.evaluation.decode
        )


def trained_model(cfg: Config, checkpoint: str | Path | None) -> nn.Module:
    """The model of a config on its device, with trained weights where a checkpoint is given.

    From here on torch has the threads of ``runtime.num_threads``, where they are stated.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where the checkpoint does not fit the config's model, or the run beside it was
            trained over other files, such as another backbone, than the config names.
    """
    device = set_up_device(cfg.runtime)
    if checkpoint is not None:
        check_files(Path(checkpoint).parent, cfg.to_dict())
    model = accelerate(build_model(cfg).to(device), cfg.runtime)
    if checkpoint is not None:
        load_trained(model, Path(checkpoint))
    return model
