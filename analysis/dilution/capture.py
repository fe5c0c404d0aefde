"""Trained runs to tidy numbers about their decoder's attention, kept in the run's folder."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.dilution import attention as measure
from analysis.dilution.attention import Array
from analysis.measured_run import run_settings, still_holds
from analysis.run_captures import DAMAGED, check_weights
from analysis.runs.comparable import check_tested_clips
from auralsam2.kept_files import keep_with_facts, kept_with_facts
from auralsam2.text_files import encode

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
MASK_TOKENS, PROMPT_TOKENS = "mask", "prompt"
NO_PROMPTS = "no prompts"
"""The condition of `auralsam2.engine.probing`, which needs torch."""
_SCHEMA = 2

Row = tuple[str, int, str, str, int, int, int, str, float]


def capture_dilution(
    run_dir: Path,
    *,
    sounds: Sequence[str] = SOUNDS,
    max_clips: int | None = None,
    split: str = "test",
    overrides: Mapping[str, Any] | None = None,
    again: bool = False,
) -> pd.DataFrame:
    """Read a finished run's attention on its test split.

    Args:
        run_dir: with ``config.py`` and ``record.json``, and ``best.safetensors`` where something
            was trained.
        sounds: kinds of counterfactual audio.
        max_clips: the first ones of the split; None for all.
        split: whose clips.
        overrides: of the run's config, e.g. ``{"data.root": ...}`` where the data have moved.
        again: also where the folder has the numbers already.

    Returns:
        One row a frame, quantity, condition, site and head, columns `COLUMNS`: ``swapped_at`` is
        the site whose prompts were exchanged, counted from 1, 0 for all of them (quantities of
        the signal are of these alone); ``head`` -1 is the mean over heads; ``tokens`` is
        ``"mask"`` for SAM2's mask tokens, ``"prompt"`` for tokens behind SAM2's own. Objects that
        a model decodes one by one are averaged in their frame. Conditions that change nothing in
        any frame have no rows.

    Raises:
        FileNotFoundError: where the folder is no run, or its weights or data are gone.
        ValueError: where the split is not known, or the data have other clips than those that
            the run was tested on; `auralsam2.models.decoder_rows.CannotProbeError` where its
            model cannot be probed.
    """
    settings = _settings(run_dir, sounds, max_clips, split, overrides or {})
    if not again and (kept := _read(run_dir, settings)) is not None:
        return kept
    check_weights(run_dir)
    frames = _frames(run_dir, sounds, max_clips, split, overrides or {})
    numbers = to_frame(row for frame in frames for row in frame_rows(frame))
    content = encode(numbers.to_csv(index=False))
    keep_with_facts(run_dir / FILE_NAME, run_dir / SETTINGS_NAME, content, settings)
    return numbers


def to_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """Average a frame's objects, and leave out conditions that change nothing anywhere.

    Args:
        rows: of `frame_rows`, of any number of frames and objects.

    Returns:
        Columns `COLUMNS`.
    """
    numbers = pd.DataFrame(rows, columns=list(COLUMNS))
    keys = list(COLUMNS[:-1])
    if numbers.duplicated(keys).any():
        numbers = numbers.groupby(keys, sort=False)["value"].mean().reset_index()
    effects = numbers[numbers["quantity"].isin(["js", "output_change", "token_signal"])]
    largest = effects.groupby("condition")["value"].max()
    without = largest.index[largest == 0]
    return numbers[~numbers["condition"].isin(without)].reset_index(drop=True)


def frame_rows(readings: Any) -> Iterator[Row]:
    """Compute all quantities of one frame, or of one object of it.

    Args:
        readings: `auralsam2.engine.probing.FrameReadings`.
    """
    from auralsam2.engine.probing import TRUE

    key = (readings.clip, readings.frame)
    coverage = np.asarray(readings.coverage, dtype=float)
    true = _stack(readings.conditions[TRUE])
    for tokens, chosen in _token_groups(true.attention.shape[2]).items():
        maps = true.attention[:, :, chosen]
        for quantity, values in (
            ("gain", measure.in_mask_gain(maps, coverage)),
            ("entropy", measure.normalised_entropy(maps)),
        ):
            for site, head, value in _by_site_and_head(values.mean(axis=2)):
                yield *key, quantity, TRUE, EVERYWHERE, site, head, tokens, value
    changed = [
        *((name, EVERYWHERE, other) for name, other in readings.conditions.items() if name != TRUE),
        *((name, site + 1, other) for (name, site), other in readings.swapped_at.items()),
    ]
    for condition, swapped_at, other in changed:
        sites = _stack(other)
        effects = _effects(true, sites)
        if swapped_at == EVERYWHERE:
            effects |= _signals(true, sites, coverage)
        for quantity, values in effects.items():
            for site, head, value in _by_site_and_head(values):
                yield *key, quantity, condition, swapped_at, site, head, MASK_TOKENS, value


class _Sites(NamedTuple):
    """Readings of S sites: attention (S, H, K, N), output and tokens (S, K, C), keys (S, N, C)."""

    attention: Array
    output: Array
    tokens: Array
    keys: Array


def _stack(readings: Sequence[Any]) -> _Sites:
    return _Sites(*(np.stack(parts).astype(float) for parts in zip(*readings, strict=True)))


def _by_site_and_head(values: Array) -> Iterator[tuple[int, int, float]]:
    """Yield site, head and value of (S,) or (S, H) values, in the second case with the mean."""
    means = values if values.ndim == 1 else values.mean(axis=1)
    for site, mean in enumerate(means.tolist(), start=1):
        yield site, ALL_HEADS, mean
        if values.ndim > 1:
            for head, value in enumerate(values[site - 1].tolist()):
                yield site, head, value


def _effects(true: _Sites, other: _Sites) -> dict[str, Array]:
    """Return how much other prompts change what is attended to, (S, H), and what is read, (S,)."""
    mask = _mask_tokens()
    js = measure.js_divergence(true.attention[:, :, mask], other.attention[:, :, mask])
    outputs = measure.relative_change(true.output[:, mask], other.output[:, mask])
    return {"js": js.mean(axis=2), "output_change": outputs.mean(axis=1)}


def _signals(true: _Sites, other: _Sites, coverage: Array) -> dict[str, Array]:
    """Return what is left of the difference at each site, (S,)."""
    mask = _mask_tokens()
    tokens, other_tokens = true.tokens[:, mask], other.tokens[:, mask]
    keys = measure.relative_change(true.keys, other.keys)
    token_change, key_change = tokens - other_tokens, true.keys - other.keys
    return {
        "token_signal": measure.relative_change(tokens, other_tokens).mean(axis=1),
        "token_cosine": _mean(measure.cosine(token_change, token_change[:1])),
        "key_signal_inside": measure.inside_mean(keys, coverage),
        "key_signal_outside": measure.inside_mean(keys, 1 - coverage),
        "key_cosine": _mean(measure.cosine(key_change, key_change[:1])),
    }


def _mean(values: Array) -> Array:
    """Mean over the last axis of what is a number; NaN where nothing is."""
    known = np.isfinite(values)
    total, count = np.where(known, values, 0).sum(axis=-1), known.sum(axis=-1)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def _mask_tokens() -> slice:
    from auralsam2.models.injection import TOKENS

    return TOKENS["mask"]


def _token_groups(num_tokens: int) -> dict[str, slice]:
    from auralsam2.models.injection import NUM_OUTPUT_TOKENS

    groups = {MASK_TOKENS: _mask_tokens()}
    if num_tokens > NUM_OUTPUT_TOKENS:
        groups[PROMPT_TOKENS] = slice(NUM_OUTPUT_TOKENS, num_tokens)
    return groups


def _frames(
    run_dir: Path,
    sounds: Sequence[str],
    max_clips: int | None,
    split: str,
    overrides: Mapping[str, Any],
) -> Iterator[Any]:
    from auralsam2 import config
    from auralsam2.engine.evaluate import test_datasets, trained_model
    from auralsam2.engine.probing import TRUE, read_frames
    from auralsam2.engine.run_target import find_target
    from auralsam2.registry import load_all

    target = find_target(str(run_dir), None)
    added = {"evaluation.counterfactuals": list(sounds)}
    cfg = config.load(target.config, {**overrides, **added})
    load_all()
    known = test_datasets(cfg)
    wanted = {TRUE: split} | {sound: f"{split}_audio_{sound}" for sound in sounds}
    missing = [name for name in wanted.values() if name not in known]
    if missing:
        raise ValueError(
            f"'{run_dir}' has no test split {', '.join(map(repr, missing))}; known: "
            f"{', '.join(known)}"
        )
    check_tested_clips(run_dir, split, known[split].clips)
    model = trained_model(cfg, target.checkpoint)
    datasets = {name: known[held] for name, held in wanted.items()}
    yield from read_frames(model, cfg, datasets, max_clips=max_clips)


def _settings(
    run_dir: Path,
    sounds: Sequence[str],
    max_clips: int | None,
    split: str,
    overrides: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the numbers depend on; not where the data lie, so that they may move."""
    from auralsam2.engine.provenance import code_version

    return {
        "schema": _SCHEMA,
        **run_settings(run_dir, overrides),
        "sounds": list(sounds),
        "max_clips": max_clips,
        "split": split,
        "code_version": code_version(),
        "measures": _measures_version(),
    }


def _read(run_dir: Path, settings: Mapping[str, Any]) -> pd.DataFrame | None:
    """Return the numbers in the run's folder where they were made with these settings."""
    found = kept_with_facts(run_dir / FILE_NAME, run_dir / SETTINGS_NAME)
    if found is None:
        return None
    content, held = found
    if not still_holds(held, settings, code=("code_version", "measures")):
        return None
    # Texts stay texts: "true" is a condition, and clips may be called 007 or NA.
    texts = dict.fromkeys(("clip", "quantity", "condition", "tokens"), str)
    file = io.BytesIO(content)
    try:
        return pd.read_csv(file, dtype=texts, keep_default_na=False, na_values={"value": [""]})
    except DAMAGED:
        return None


def _measures_version() -> str:
    """Return a hash of the sources that turn readings into rows, which the package's lacks."""
    sources = [Path(str(measure.__file__)), Path(__file__)]
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources))
    return digest.hexdigest()[:10]
