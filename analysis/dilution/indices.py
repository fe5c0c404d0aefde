"""Rows of single frames to what a figure of dilution shows: means over clips, with bands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.dilution.attention import dilution
from analysis.dilution.readings import ALL_HEADS, EVERYWHERE, MASK_TOKENS
from analysis.runs.results import select
from analysis.statistics.crossed_means import CLIPS, Settings, intervals
from analysis.statistics.score_arrays import Sample

POOLED = "all"
"""In place of a seed: every clip is the mean of its seeds."""
INDICES = {"gain": "D1", "js": "D2", "output_change": "D2 outputs"}
"""Quantity -> the index of its dilution."""
_OF = ("arm", "seed", "index", "condition")
INDEX_COLUMNS = (*_OF, "value", "low", "high", "first", "final", "num_clips")
Readings = Mapping[tuple[str, int], pd.DataFrame]
"""Arm and seed -> rows of `analysis.dilution.readings.DilutionReadings`."""
_SETTINGS = Settings(over=CLIPS)
CONFIDENCE = _SETTINGS.confidence
_KEYS = ["arm", "quantity", "condition", "swapped_at", "site", "head", "tokens"]


def clip_means(readings: Readings) -> pd.DataFrame:
    """Average the frames of every clip, seed by seed.

    The mean over clips is the mean over frames of clips, as for scores: a long clip counts once.
    Gains are defined where a mask is neither empty nor full; entropy is taken where it is empty,
    where no gain can be.

    Returns:
        Columns arm, seed, quantity, condition, swapped_at, site, head, tokens, clip, value.
    """
    runs = readings.items()
    parts = [_within_clips(rows).assign(arm=arm, seed=seed) for (arm, seed), rows in runs]
    return pd.concat(parts, ignore_index=True)


def over_seeds(clips: pd.DataFrame) -> pd.DataFrame:
    """Average the seeds of every clip of `clip_means`; their column goes."""
    return clips.groupby([*_KEYS, "clip"], sort=False)["value"].mean().reset_index()


def _within_clips(frames: pd.DataFrame) -> pd.DataFrame:
    """Average the frames of each clip of one run."""
    gains = frames[frames["quantity"] == "gain"]
    empty = gains[gains["value"].isna()][["clip", "frame"]].drop_duplicates().assign(empty=True)
    is_empty = frames.merge(empty, on=["clip", "frame"], how="left")["empty"].eq(True).to_numpy()
    kept = frames[(frames["quantity"] != "entropy") | is_empty].dropna(subset=["value"])
    return kept.groupby([*_KEYS[1:], "clip"], sort=False)["value"].mean().reset_index()


def curves(clips: pd.DataFrame) -> pd.DataFrame:
    """Mean over clips (of `over_seeds`) of every quantity at every site, with a band.

    Returns:
        Columns arm, quantity, condition, swapped_at, site, head, tokens, mean, low, high,
        num_clips; the band is the 95 % interval over clips (`analysis.statistics.crossed_means`),
        for these trained models; NaN for a single clip.
    """
    rows = []
    for key, group in clips.groupby(_KEYS, sort=False):
        low, high = _interval(group["value"].to_numpy())
        rows.append((*tuple(key), group["value"].mean(), low, high, len(group)))
    return pd.DataFrame(rows, columns=[*_KEYS, "mean", "low", "high", "num_clips"])


def dilution_indices(clips: pd.DataFrame) -> pd.DataFrame:
    """D1 of the in-mask gain and D2 of the causal effect, with intervals over clips.

    D = 1 - (mean effect at the final site) / (mean effect at site 1): a ratio of means, not a mean
    of ratios, which single clips with next to no effect at site 1 would dominate.

    Args:
        clips: of `clip_means`.

    Returns:
        Columns arm, seed (`POOLED` for all of them, single ones below), index, condition, value,
        low, high, first, final, num_clips. ``value`` is NaN where the first effect is not positive.
        ``low`` and ``high`` are NaN of a single clip, and where the first effect is not clearly
        positive: its own interval holds 0.
    """
    every = pd.concat([over_seeds(clips).assign(seed=POOLED), clips], ignore_index=True)
    whole = select(every, head=ALL_HEADS, swapped_at=EVERYWHERE, tokens=MASK_TOKENS)
    rows = []
    for quantity, index in INDICES.items():
        chosen = select(whole, quantity=quantity)
        for (arm, condition), group in chosen.groupby(["arm", "condition"], sort=False):
            for of_seed, members in group.groupby("seed", sort=False):
                wide = members.pivot(index="clip", columns="site", values="value").dropna()
                if wide.empty:
                    continue
                first, final = wide.iloc[:, 0].to_numpy(), wide.iloc[:, -1].to_numpy()
                value = float(dilution(first.mean(), final.mean()))
                ends = (*_interval_of_ratio(first, final), first.mean(), final.mean())
                rows.append((arm, of_seed, index, condition, value, *ends, len(wide)))
    return pd.DataFrame(rows, columns=list(INDEX_COLUMNS))


def site_matrix(means: pd.DataFrame, arm: str, condition: str) -> pd.DataFrame:
    """E[s, b]: effect at site b of another sound's prompts at site s alone, of `curves`.

    Returns:
        Rows s, columns b, JS divergence in nats; empty where the arm injects nothing.
    """
    chosen = select(means, arm=arm, condition=condition, quantity="js", head=ALL_HEADS)
    single = chosen[chosen["swapped_at"] != EVERYWHERE]
    return single.pivot(index="swapped_at", columns="site", values="mean")


def _interval(values: Any) -> tuple[float, float]:
    if len(values) > 1 and np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    low, high = intervals(Sample(values[None, None], (len(values),)), _SETTINGS)
    return float(low[0]), float(high[0])


def _interval_of_ratio(first: Any, final: Any) -> tuple[float, float]:
    """Return the ends of 1 - final / first, of means over the same clips.

    A ratio r is inside where the mean of final - r * first is not told from 0 (Fieller, Journal of
    the Royal Statistical Society B 16, 1954): the roots of a parabola in r.
    """
    from scipy.stats import t as student

    if not _interval(first)[0] > 0:
        return float("nan"), float("nan")
    reach = student.isf((1 - CONFIDENCE) / 2, len(first) - 1) ** 2
    (square, product), (_, end) = np.cov(first, final) / len(first)
    a = first.mean() ** 2 - reach * square
    b = first.mean() * final.mean() - reach * product
    c = final.mean() ** 2 - reach * end
    root = np.sqrt(max(b**2 - a * c, 0.0))
    return float(dilution(a, b + root)), float(dilution(a, b - root))
