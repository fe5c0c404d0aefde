"""The predictor that a command line asks for, and what says which one it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from auralsam2.config import config_hash, load
from auralsam2.engine.identity import file_digests
from auralsam2.engine.run_folder import find_target
from auralsam2.models.weights import locate
from auralsam2.predictor import AuralSAM2VideoPredictor
from auralsam2.predictor.trained import DEFAULT


def load_predictor(model: Mapping[str, Any]) -> AuralSAM2VideoPredictor:
    """Build the predictor; ``model`` as `auralsam2.segment.arguments.Arguments` has it."""
    if "run" in model:
        return AuralSAM2VideoPredictor.from_run(model["run"])
    return AuralSAM2VideoPredictor.from_checkpoint(**model)


def identity(model: Mapping[str, Any]) -> dict[str, str]:
    """Return what tells models apart: hashes of the weights, and of what a config computes."""
    config, weights = model.get("config"), model.get("checkpoint", DEFAULT)
    if "run" in model:
        config, weights = find_target(os.fspath(model["run"]), None)
    found = {} if weights is None else file_digests({"weights": os.fspath(locate(weights))})
    return found if config is None else {**found, "config": config_hash(load(config))}
