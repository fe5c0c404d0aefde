"""What must be there before a run is worth starting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from auralsam2.engine.start import check_start
from auralsam2.registry import MODELS, REGISTRIES


def check_weights(cfg: Config) -> None:
    """Look for every weight file that the model's parts will want, and for what a run begins from.

    A component class may offer ``problems(**node) -> list[str]``; all answers are collected, so
    that a user learns of every missing file at once and within a second.

    Raises:
        FileNotFoundError: naming path, published file and key of everything that is missing.
        ValueError: where the run that this one is to extend does not go with it.
    """
    model = cfg.model.to_dict()
    problems = _problems_of(MODELS.lookup(model["type"]), model)
    for key, node in model.items():
        if key in REGISTRIES and isinstance(node, Mapping) and "type" in node:
            problems += _problems_of(REGISTRIES[key].lookup(node["type"]), node)
    if problems:
        raise FileNotFoundError("\n".join(problems))
    check_start(cfg)


def _problems_of(component: Any, node: Mapping[str, Any]) -> list[str]:
    check = getattr(component, "problems", None)
    if check is None:
        return []
    return list(check(**{key: value for key, value in node.items() if key != "type"}))
