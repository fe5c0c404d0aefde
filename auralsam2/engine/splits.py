"""Build the data sets of a config; control splits share what they wrap."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from auralsam2.counterfactuals import is_control, with_controls
from auralsam2.data.datasets.guarded import Guarded
from auralsam2.engine.run_record import combine_fingerprints
from auralsam2.registry import DATASETS
from auralsam2.signature import parameters_of


def build_dataset(
    cfg: Config,
    node: Mapping[str, Any],
    seed: int | None = None,
    training: bool = False,
    name: str = "",
) -> Any:
    """One data set, with the root and image size of the config, guarded against corrupt files.

    Args:
        cfg: a loaded config.
        node: of the data set.
        seed: for data sets that take one and whose node states none.
        training: whether a corrupt clip that is skipped is replaced, and not left out.
        name: of the split, for a warning of clips that are left out.
    """
    plain = node.to_dict() if hasattr(node, "to_dict") else dict(node)
    takes_seed = "seed" in parameters_of(DATASETS.lookup(plain["type"])).known
    if seed is not None and takes_seed and "seed" not in plain:
        plain["seed"] = seed
    built = DATASETS.build(plain, root=cfg.data.root, image_size=cfg.data.image_size)
    return Guarded(built, cfg.data.get("on_corrupt", "stop"), training, cfg.data.num_workers, name)


def test_nodes(cfg: Config) -> dict[str, dict[str, Any]]:
    """Nodes of all test sets of a config, those of ``evaluation.counterfactuals`` included."""
    return with_controls(cfg.data.test.to_dict(), cfg.evaluation.get("counterfactuals", ()))


def test_datasets(
    cfg: Config, nodes: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """Test sets by name.

    A control whose node wraps the same data as another split gets that very data set: files are
    read and hashed once for all of them.

    Args:
        cfg: a loaded config.
        nodes: by name; None for :func:`test_nodes`.
    """
    built: dict[str, Any] = {}

    def once(node: Mapping[str, Any]) -> Any:
        key = json.dumps(node, sort_keys=True, default=str)
        if key not in built:
            size = {"root": cfg.data.root, "image_size": cfg.data.image_size}
            inner = node.get("dataset") if is_control(node) else None
            shared = {"dataset": once(inner)} if isinstance(inner, Mapping) else {}
            built[key] = DATASETS.build({**node, **shared}, **size)
        return built[key]

    on_corrupt, num_workers = cfg.data.get("on_corrupt", "stop"), cfg.data.num_workers
    return {
        name: Guarded(once(node), on_corrupt, num_workers=num_workers, split_name=name)
        for name, node in (test_nodes(cfg) if nodes is None else nodes).items()
    }


def run_datasets(cfg: Config) -> dict[str, Any]:
    """All data sets of a run: ``train``, ``val``, and under ``test`` those of all test splits."""
    return {
        # Transforms are the only thing in it that is random.
        "train": build_dataset(cfg, cfg.data.train, cfg.seed, True, "train"),
        "val": build_dataset(cfg, cfg.data.val, name="val"),
        "test": test_datasets(cfg),
    }


def fingerprint(datasets: Mapping[str, Any]) -> str:
    """One fingerprint of all splits; wrappers of the test set read the same files."""
    prints = [datasets["train"].fingerprint(), datasets["val"].fingerprint()]
    prints += [d.fingerprint() for d in datasets["test"].values()]
    return combine_fingerprints(prints)


def label_source(datasets: Mapping[str, Any]) -> str:
    """Where the labels come from: every source once, in the order of the splits."""
    every = [datasets["train"], datasets["val"], *datasets["test"].values()]
    sources = [getattr(dataset, "label_source", "") for dataset in every]
    return ", ".join(dict.fromkeys(source for source in sources if source))
