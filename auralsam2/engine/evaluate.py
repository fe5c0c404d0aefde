"""Evaluate a model on the splits of a config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader

from auralsam2.data.collate import collate_clips
from auralsam2.data.datasets.guarded import Guarded
from auralsam2.registry import DATASETS, METRICS, MODELS
from auralsam2.signature import parameters_of


class SplitResult(NamedTuple):
    """Scores of one split.

    Attributes:
        metrics: mean over clips, by metric.
        per_clip: metric -> clip -> score.
    """

    metrics: dict[str, float]
    per_clip: dict[str, dict[str, float]]


class EvalResult(NamedTuple):
    """Scores of all splits and the masks of a few clips."""

    splits: dict[str, SplitResult]
    saved: dict[str, NDArray[Any]]


def evaluate(cfg: Config, checkpoint: str | Path | None, run_dir: Path | None = None) -> EvalResult:
    """Score a checkpoint on every test split of a config.

    Args:
        cfg: a loaded config.
        checkpoint: ``best.safetensors`` of a run; ``None`` for a model that trains nothing.
        run_dir: where to write ``predictions.npz``; ``None`` writes nothing.

    Raises:
        ValueError: where the checkpoint does not fit the config's model.
    """
    return evaluate_model(trained_model(cfg, checkpoint), cfg, test_datasets(cfg), run_dir)


def evaluate_model(
    model: nn.Module,
    cfg: Config,
    datasets: Mapping[str, Any],
    run_dir: Path | None = None,
    on_batch: Callable[[], None] | None = None,
) -> EvalResult:
    """Score a built model on data sets; the first ``num_saved_clips`` clips of each are kept."""
    splits, saved = {}, {}
    for split, dataset in datasets.items():
        splits[split], kept = _evaluate_split(model, cfg, dataset, on_batch)
        saved |= {f"{split}/{key}": value for key, value in kept.items()}
    if run_dir is not None and saved:
        np.savez_compressed(run_dir / "predictions.npz", **saved)
    return EvalResult(splits, saved)


def _evaluate_split(
    model: nn.Module, cfg: Config, dataset: Any, on_batch: Callable[[], None] | None
) -> tuple[SplitResult, dict[str, NDArray[Any]]]:
    metrics = [METRICS.build(node) for node in cfg.evaluation.metrics]
    evaluator = Evaluator(metrics)
    kept: dict[str, NDArray[Any]] = {}
    wanted = int(cfg.evaluation.num_saved_clips)
    model.eval()
    with torch.no_grad():
        for batch in clip_loader(cfg, dataset):
            results = model.val_step(batch)
            evaluator.process(results, batch)
            for i, result in enumerate(results):
                if wanted > 0:
                    kept |= _to_save(batch, i, result)
                    wanted -= 1
            if on_batch is not None:
                on_batch()
    scores = evaluator.evaluate(len(dataset))
    per_clip = {metric.name: dict(metric.per_clip) for metric in metrics}
    return SplitResult({k: float(v) for k, v in scores.items()}, per_clip), kept


def _to_save(batch: dict[str, Any], i: int, result: dict[str, Any]) -> dict[str, NDArray[Any]]:
    name = result["clip"]
    arrays = {
        "frames": batch["frames"][i].permute(0, 2, 3, 1).to(torch.uint8),
        "truth": batch["native_masks"][i].to(torch.uint8),
        "prediction": (result["mask_logits"] > 0).to(torch.uint8),
        "log_mel": batch["log_mel"][i].mean(dim=1).float(),
    }
    return {f"{name}/{key}": value.cpu().numpy() for key, value in arrays.items()}


def build_model(cfg: Config) -> nn.Module:
    """The model of a config, with the image size and decode mode that the config states."""
    return MODELS.build(
        cfg.model.to_dict(), image_size=cfg.data.image_size, decode=cfg.evaluation.decode
    )


def trained_model(cfg: Config, checkpoint: str | Path | None) -> nn.Module:
    """The model of a config on its device, with trained weights where a checkpoint is given.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where the checkpoint does not fit the config's model.
    """
    model = build_model(cfg).to(pick_device(cfg.runtime.device))
    if checkpoint is not None:
        load_trained(model, Path(checkpoint))
    return model


def clip_loader(cfg: Config, dataset: Any) -> DataLoader[dict[str, Any]]:
    """Batches of a data set in its own order."""
    return DataLoader(
        dataset,
        batch_size=cfg.data.batch_size,
        num_workers=cfg.data.num_workers,
        collate_fn=collate_clips,
    )


def build_dataset(
    cfg: Config, node: Mapping[str, Any], seed: int | None = None, training: bool = False
) -> Any:
    """One data set, with the root and image size of the config, guarded against corrupt files.

    Args:
        cfg: a loaded config.
        node: of the data set.
        seed: for data sets that take one and whose node states none.
        training: whether a corrupt clip that is skipped is replaced, and not left out.
    """
    plain = node.to_dict() if hasattr(node, "to_dict") else dict(node)
    size = {"root": cfg.data.root, "image_size": cfg.data.image_size}
    takes_seed = "seed" in parameters_of(DATASETS.lookup(plain["type"])).known
    if seed is not None and takes_seed and "seed" not in plain:
        plain["seed"] = seed
    on_corrupt = cfg.data.get("on_corrupt", "stop")
    built = DATASETS.build(plain, **size)
    return Guarded(built, on_corrupt, training, cfg.data.num_workers)


def test_datasets(cfg: Config) -> dict[str, Any]:
    """All test sets of a config by name."""
    return {name: build_dataset(cfg, node) for name, node in cfg.data.test.items()}


def pick_device(name: str) -> torch.device:
    """``auto`` is the first GPU where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def load_trained(model: nn.Module, path: Path) -> None:
    """Load trained weights over a model whose frozen parts have theirs already.

    Weights of frozen parts may be in the file, as in a converted checkpoint: they are loaded too.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where keys or shapes differ from what this model trains.
    """
    from auralsam2.engine.hooks.trainable_state_hook import trainable_state
    from auralsam2.models.weights import read_state

    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint at '{path}'; a finished run has best.safetensors")
    state, own, frozen = read_state(path), model.state_dict(), frozen_parts(model)
    needed = {key for key in trainable_state(model) if not key.startswith(frozen)}
    missing = sorted(needed - state.keys())
    unexpected = sorted(state.keys() - own.keys())
    shapes = [k for k in own.keys() & state.keys() if own[k].shape != state[k].shape]
    if missing or unexpected or shapes:
        raise ValueError(
            f"'{path}' does not fit the config's model: {len(missing)} missing {missing[:3]}, "
            f"{len(unexpected)} unexpected {unexpected[:3]}, {len(shapes)} of another shape "
            f"{sorted(shapes)[:3]}; evaluate it with the config.py of its own run folder"
        )
    if any(
        k.startswith("backbone.") and not torch.equal(own[k], state[k].to(own[k])) for k in state
    ):
        model.feature_cache = None  # type: ignore[assignment]  # of the weights it was built with
    model.load_state_dict(state, strict=False)


def frozen_parts(model: nn.Module) -> tuple[str, ...]:
    """Prefixes of the children that train nothing: a checkpoint of trained weights lacks them."""
    return tuple(
        f"{name}."
        for name, child in model.named_children()
        if (parameters := list(child.parameters())) and not any(p.requires_grad for p in parameters)
    )
