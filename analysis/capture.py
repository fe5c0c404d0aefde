"""Trained runs to tidy numbers about their decoder's attention, kept in the run's folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis import attention as measure

FILE_NAME = "dilution.csv"
SETTINGS_NAME = "dilution.json"
SOUNDS = ("swapped", "silence")
COLUMNS = (
    "clip",
    "frame",
    "quantity",
    "condition",
    "swapped_at",
    "site",
    "head",
    "tokens",
    "value",
)
EVERYWHERE, ALL_HEADS = 0, -1
_SCHEMA = 1


def capture_dilution(
    run_dir: Path,
    *,
    sounds: Sequence[str] = SOUNDS,
    max_clips: int | None = None,
    split: str = "test",
    again: bool = False,
) -> pd.DataFrame:
    """Read a finished run's attention on its test split.

    Args:
        run_dir: with ``config.py``, and ``best.safetensors`` where something was trained.
        sounds: kinds of counterfactual audio.
        max_clips: the first ones of the split; None for all.
        split: whose clips.
        again: also where the folder has the numbers already.

    Returns:
        One row a frame, quantity, condition, site and head, columns `COLUMNS`: ``swapped_at`` is
        the site whose prompts were exchanged, counted from 1, 0 for all of them; ``head`` -1 is
        the mean over heads; ``tokens`` is ``"mask"`` for SAM2's mask tokens, ``"prompt"`` for
        tokens behind SAM2's own.

    Raises:
        FileNotFoundError: where the folder is no run.
        ValueError: where its model cannot be probed.
    """
    settings = _settings(run_dir, sounds, max_clips, split)
    kept = run_dir / SETTINGS_NAME
    if not again and kept.is_file() and json.loads(kept.read_text(encoding="utf-8")) == settings:
        return pd.read_csv(run_dir / FILE_NAME, keep_default_na=True)
    rows = [
        row for frame in _frames(run_dir, sounds, max_clips, split) for row in frame_rows(frame)
    ]
    numbers = pd.DataFrame(rows, columns=list(COLUMNS))
    # The settings last: a capture that is killed between the two is made again.
    numbers.to_csv(run_dir / FILE_NAME, index=False)
    kept.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    return numbers


def frame_rows(readings: Any) -> Iterator[tuple[Any, ...]]:
    """Compute all quantities of one frame.

    Args:
        readings: `auralsam2.engine.probing.FrameReadings`.
    """
    from auralsam2.engine.probing import TRUE

    key = (readings.clip, readings.frame)
    true = readings.conditions[TRUE]
    for site, reading in enumerate(true, start=1):
        for tokens, chosen in _token_groups(reading.attention.shape[1]).items():
            maps = reading.attention[:, chosen]  # (H, K, N)
            for quantity, values in (
                ("gain", measure.in_mask_gain(maps, readings.coverage)),
                ("entropy", measure.normalised_entropy(maps)),
            ):
                by_head = values.mean(axis=1)
                yield *key, quantity, TRUE, EVERYWHERE, site, ALL_HEADS, tokens, by_head.mean()
                for head, value in enumerate(by_head):
                    yield *key, quantity, TRUE, EVERYWHERE, site, head, tokens, value
    for condition, other in readings.conditions.items():
        if condition != TRUE:
            for effect in _effects(true, other, readings.coverage):
                yield *key, effect[0], condition, EVERYWHERE, *effect[1:]
    for (condition, swapped_at), other in readings.swapped_at.items():
        for effect in _effects(true, other, readings.coverage):
            yield *key, effect[0], condition, swapped_at + 1, *effect[1:]


def _effects(
    true: Sequence[Any], other: Sequence[Any], coverage: Any
) -> Iterator[tuple[str, int, int, str, float]]:
    """Yield quantity, site, head, tokens and value of what another sound changes."""
    mask = _mask_tokens()
    pairs = list(zip(true, other, strict=True))
    changes = [(a.tokens[mask] - b.tokens[mask], a.keys - b.keys) for a, b in pairs]
    first_tokens, first_keys = changes[0]
    for site, (own, theirs) in enumerate(pairs, start=1):
        js = measure.js_divergence(own.attention[:, mask], theirs.attention[:, mask]).mean(axis=1)
        yield "js", site, ALL_HEADS, "mask", float(js.mean())
        for head, value in enumerate(js):
            yield "js", site, head, "mask", float(value)
        output = measure.relative_change(own.output[mask], theirs.output[mask])
        tokens = measure.relative_change(own.tokens[mask], theirs.tokens[mask])
        keys = measure.relative_change(own.keys, theirs.keys)
        change, key_change = changes[site - 1]
        for quantity, number in (
            ("output_change", float(output.mean())),
            ("token_signal", float(tokens.mean())),
            ("token_cosine", _mean(measure.cosine(change, first_tokens))),
            ("key_signal_inside", measure.inside_mean(keys, coverage)),
            ("key_signal_outside", measure.inside_mean(keys, 1 - coverage)),
            ("key_cosine", _mean(measure.cosine(key_change, first_keys))),
        ):
            yield quantity, site, ALL_HEADS, "mask", number


def _mean(values: Any) -> float:
    """Mean of what is a number; NaN where nothing is."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")


def _mask_tokens() -> slice:
    from auralsam2.models.injection import TOKENS

    return TOKENS["mask"]


def _token_groups(num_tokens: int) -> dict[str, slice]:
    from auralsam2.engine.probing import NUM_OUTPUT_TOKENS

    groups = {"mask": _mask_tokens()}
    if num_tokens > NUM_OUTPUT_TOKENS:
        groups["prompt"] = slice(NUM_OUTPUT_TOKENS, num_tokens)
    return groups


def _frames(
    run_dir: Path, sounds: Sequence[str], max_clips: int | None, split: str
) -> Iterator[Any]:
    from auralsam2 import config
    from auralsam2.engine.evaluate import test_datasets, trained_model
    from auralsam2.engine.probing import TRUE, read_frames
    from auralsam2.engine.run_target import find_target
    from auralsam2.registry import load_all

    target = find_target(str(run_dir), None)
    cfg = config.load(target.config, {"evaluation.counterfactuals": list(sounds)})
    load_all()
    known = test_datasets(cfg)
    wanted = {TRUE: split} | {sound: f"{split}_audio_{sound}" for sound in sounds}
    missing = [name for name in wanted.values() if name not in known]
    if missing:
        raise ValueError(
            f"'{run_dir}' has no test split {', '.join(map(repr, missing))}; known: "
            f"{', '.join(known)}"
        )
    model = trained_model(cfg, target.checkpoint)
    datasets = {name: known[held] for name, held in wanted.items()}
    yield from read_frames(model, cfg, datasets, max_clips=max_clips)


def _settings(
    run_dir: Path, sounds: Sequence[str], max_clips: int | None, split: str
) -> dict[str, Any]:
    from auralsam2.engine.provenance import code_version

    weights = run_dir / "best.safetensors"
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()[:16] if weights.is_file() else None
    return {
        "schema": _SCHEMA,
        "weights": digest,
        "sounds": list(sounds),
        "max_clips": max_clips,
        "split": split,
        "code_version": code_version(),
    }
