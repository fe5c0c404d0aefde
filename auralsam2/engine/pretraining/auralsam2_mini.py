"""Train the auralsam2-mini that comes with the package, and score it as it is shipped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from auralsam2 import config as configs
from auralsam2.counterfactuals import heard_with
from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.engine.checkpoint import frozen_parts, save_state
from auralsam2.engine.evaluate import build_model, evaluate_model, trained_model
from auralsam2.engine.guesses import score_guesses
from auralsam2.engine.run_record import WEIGHTS
from auralsam2.engine.splits import test_datasets
from auralsam2.engine.train import train
from auralsam2.models.weights import read_state

CONFIG = "auralsam2/mini_shipped"
EXPORTED = "auralsam2-mini.safetensors"
COUNTS = (3000, 150, 300)
SEED = 17
"""Of the clips."""
NUM_CLASSES = 8
SOUNDS = ("real", "swapped", "silence")


def pretrain_auralsam2(
    out: Path,
    *,
    counts: Sequence[int] = COUNTS,
    overrides: Mapping[str, Any] | None = None,
    workers: int = 1,
    keep_code: bool = False,
    on_clip: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Write clips, train, export the trained parts, and score what is exported.

    What is done already is not done again.

    Args:
        out: gets ``data``, ``decoded``, ``run`` and the weights.
        counts: clips to train on, to select by, and to test once.
        overrides: of the config, as :func:`auralsam2.config.load` takes them.
        workers: processes that draw.
        keep_code: go on with a training that other code has begun.
        on_clip: called after every clip that was drawn.

    Returns:
        What a model card says: ``weights``, ``config``, ``clips`` by split, ``parameters``,
        ``metrics`` by sound, ``guesses`` that hear nothing.
    """
    write_clips(out / "data", Plan("v1m", tuple(counts), SEED, num_classes=NUM_CLASSES), workers,
                on_clip)  # fmt: skip
    places = {"data.root": str(out / "data"), "data.keep_decoded": str(out / "decoded")}
    cfg = configs.load(CONFIG, {**places, **(overrides or {})})
    train(cfg, out / "run", keep_code=keep_code)
    return {
        "weights": EXPORTED,
        "config": CONFIG,
        "clips": dict(zip(("train", "val", "test"), counts, strict=True)),
        "seeds": {"clips": SEED, "training": cfg.seed},
        "parameters": _export(cfg, out),
        "metrics": _scores(cfg, out / EXPORTED),
        "guesses": {k: round(v, 4) for k, v in score_guesses(out / "data").items()},
    }


def _export(cfg: Config, out: Path) -> int:
    """Write what was trained of a run, and return how many numbers that are."""
    frozen = frozen_parts(build_model(cfg))  # their buffers come from files of their own
    state = read_state(out / "run" / WEIGHTS)
    state = {key: value for key, value in state.items() if not key.startswith(frozen)}
    # In their own precision: variances of batch norms are beyond the range of the half one.
    save_state(state, out / EXPORTED)
    return sum(tensor.numel() for tensor in state.values())


def _scores(cfg: Config, weights: Path) -> dict[str, dict[str, float]]:
    """J and F of exported weights on the test clips by what is heard."""
    datasets = test_datasets(cfg, heard_with({"test": cfg.data.test.test.to_dict()}, SOUNDS))
    result = evaluate_model(trained_model(cfg, weights), cfg, datasets)
    return {
        sound: {name: round(value, 4) for name, value in scores.metrics.items()}
        for sound, scores in zip(SOUNDS, result.splits.values(), strict=True)
    }
