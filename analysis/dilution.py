"""Rows of single frames to what a figure of dilution shows: means over clips, with bands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import bootstrap

from analysis import attention as measure
from analysis.capture import ALL_HEADS, EVERYWHERE

CONFIDENCE = 0.95
_RESAMPLES = 2000
_KEYS = ["arm", "quantity", "condition", "swapped_at", "site", "head", "tokens"]


def clip_means(captures: Mapping[tuple[str, int], pd.DataFrame]) -> pd.DataFrame:
    """Average frames within clips, then a clip's seeds.

    The mean over clips is the mean over frames of clips, as for scores: a long clip counts once.
    Gains are defined where a mask is neither empty nor full; entropy is taken where it is empty,
    where no gain can be.

    Args:
        captures: (arm, seed) -> rows of `analysis.capture.capture_dilution`.

    Returns:
        Columns arm, quantity, condition, swapped_at, site, head, tokens, clip, value.
    """
    frames = pd.concat(
        [rows.assign(arm=arm, seed=seed) for (arm, seed), rows in captures.items()],
        ignore_index=True,
    )
    frame_key = ["arm", "seed", "clip", "frame"]
    gains = frames[frames["quantity"] == "gain"]
    empty = gains[gains["value"].isna()][frame_key].drop_duplicates().assign(empty=True)
    marked = frames.merge(empty, on=frame_key, how="left")
    is_empty = marked["empty"].eq(True)
    kept = marked[(marked["quantity"] != "entropy") | is_empty].dropna(subset=["value"])
    by_seed = kept.groupby([*_KEYS, "clip", "seed"], sort=False)["value"].mean().reset_index()
    return by_seed.groupby([*_KEYS, "clip"], sort=False)["value"].mean().reset_index()


def curves(clips: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Mean over clips of every quantity at every site, with a bootstrap band.

    Args:
        clips: of `clip_means`.
        seed: of the resampling.

    Returns:
        Columns arm, quantity, condition, swapped_at, site, head, tokens, mean, low, high,
        num_clips; the band is the 95 % percentile interval over clips, NaN for a single clip.
    """
    rows = []
    for key, group in clips.groupby(_KEYS, sort=False):
        low, high = _interval(group["value"].to_numpy(), np.mean, seed)
        row = dict(zip(_KEYS, _as_tuple(key), strict=True))
        row |= {"mean": group["value"].mean(), "low": low, "high": high, "num_clips": len(group)}
        rows.append(row)
    return pd.DataFrame(rows)


def dilution_indices(clips: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """D1 of the in-mask gain and D2 of the causal effect, with intervals over clips.

    D = 1 - (mean effect at the final site) / (mean effect at site 1): a ratio of means, not a mean
    of ratios, which single clips with next to no effect at site 1 would dominate.

    Args:
        clips: of `clip_means`.
        seed: of the resampling.

    Returns:
        Columns arm, index, condition, value, low, high, first, final, num_clips. ``value`` is NaN
        where the first effect is not positive: undefined.
    """
    rows = []
    whole = clips[
        (clips["head"] == ALL_HEADS)
        & (clips["swapped_at"] == EVERYWHERE)
        & (clips["tokens"] == "mask")
    ]
    for quantity, index in (("gain", "D1"), ("js", "D2"), ("output_change", "D2 outputs")):
        chosen = whole[whole["quantity"] == quantity]
        for (arm, condition), group in chosen.groupby(["arm", "condition"], sort=False):
            wide = group.pivot(index="clip", columns="site", values="value").dropna()
            if wide.empty:
                continue
            first, final = wide.iloc[:, 0].to_numpy(), wide.iloc[:, -1].to_numpy()
            low, high = _interval_of_ratio(first, final, seed)
            rows.append(
                {"arm": arm, "index": index, "condition": condition}
                | {"value": float(measure.dilution(first.mean(), final.mean()))}
                | {"low": low, "high": high}
                | {"first": first.mean(), "final": final.mean(), "num_clips": len(wide)}
            )
    return pd.DataFrame(rows)


def site_matrix(means: pd.DataFrame, arm: str, condition: str) -> pd.DataFrame:
    """E[s, b]: effect at site b of another sound's prompts at site s alone.

    Args:
        means: of `curves`.
        arm: whose.
        condition: the other sound.

    Returns:
        Rows s, columns b, JS divergence in nats; empty where the arm injects nothing.
    """
    chosen = means[
        (means["arm"] == arm)
        & (means["condition"] == condition)
        & (means["quantity"] == "js")
        & (means["head"] == ALL_HEADS)
        & (means["swapped_at"] != EVERYWHERE)
    ]
    return chosen.pivot(index="swapped_at", columns="site", values="mean")


def _interval(values: Any, statistic: Any, seed: int) -> tuple[float, float]:
    if len(values) < 2:
        return float("nan"), float("nan")
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    result = bootstrap(
        (values,),
        statistic,
        n_resamples=_RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(result.low), float(result.high)


def _interval_of_ratio(first: Any, final: Any, seed: int) -> tuple[float, float]:
    if len(first) < 2 or first.mean() <= 0:
        return float("nan"), float("nan")
    result = bootstrap(
        (first, final),
        lambda a, b, axis=-1: measure.dilution(a.mean(axis=axis), b.mean(axis=axis)),
        paired=True,
        vectorized=True,
        n_resamples=_RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(result.low), float(result.high)


def _as_tuple(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)
