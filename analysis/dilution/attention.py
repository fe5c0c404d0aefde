"""What attention maps say about an audio prompt: definitions, on plain arrays.

Axes: H heads, K query tokens, N positions of the key grid; leading axes are kept. Sites of the
mask decoder are counted 1 (block 1), 2 (block 2), 3 (final attention); docs/dilution.md has the
formulas side by side.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, rel_entr

Array = NDArray[np.float64]

LN2 = float(np.log(2))


def in_mask_gain(attention: ArrayLike, coverage: ArrayLike) -> Array:
    """How much more attention falls into the mask than chance would put there.

    g = (m - r) / (1 - r) with m = sum_n a_n c_n the attention mass inside the true mask and
    r = mean_n c_n the mask's share of the frame: 1 where all attention is inside, 0 at chance,
    negative below; NaN where the mask is empty or fills the frame: there is no chance to beat.

    Args:
        attention: (..., N), sums to one over N.
        coverage: (N,) share of each key position that the mask covers, in [0, 1].
    """
    a, c = np.asarray(attention, dtype=float), np.asarray(coverage, dtype=float)
    share = float(c.mean())
    if not 0 < share < 1:
        return np.full(a.shape[:-1], np.nan)
    return np.asarray((a @ c - share) / (1 - share))


def normalised_entropy(attention: ArrayLike) -> Array:
    """Spread of (..., N), -sum_n a_n ln a_n / ln N: 0 at one position, 1 where uniform."""
    a = np.asarray(attention, dtype=float)
    return np.asarray(entr(a).sum(axis=-1) / np.log(a.shape[-1]))


def js_divergence(attention: ArrayLike, other: ArrayLike) -> Array:
    """Jensen-Shannon divergence of (..., N) in nats, from 0 (equal) to ln 2 (nothing in common).

    JS = (KL(a | m) + KL(b | m)) / 2 with m = (a + b) / 2.
    """
    a, b = np.asarray(attention, dtype=float), np.asarray(other, dtype=float)
    mean = (a + b) / 2
    divergence = (rel_entr(a, mean) + rel_entr(b, mean)).sum(axis=-1) / 2
    return np.asarray(np.clip(divergence, 0.0, LN2))  # rounding may leave the range by 1e-17


def relative_change(vectors: ArrayLike, other: ArrayLike) -> Array:
    """|x - y| / ((|x| + |y|) / 2) of (..., C): 0 (equal) to 2 (opposite); 0 for two zeros."""
    x, y = np.asarray(vectors, dtype=float), np.asarray(other, dtype=float)
    scale = (np.linalg.norm(x, axis=-1) + np.linalg.norm(y, axis=-1)) / 2
    change = np.linalg.norm(x - y, axis=-1)
    return np.asarray(np.divide(change, scale, out=np.zeros_like(change), where=scale > 0))


def cosine(vectors: ArrayLike, other: ArrayLike) -> Array:
    """Cosine of the angle between vectors (..., C); NaN where one of them is zero."""
    x, y = np.asarray(vectors, dtype=float), np.asarray(other, dtype=float)
    norms = np.linalg.norm(x, axis=-1) * np.linalg.norm(y, axis=-1)
    out = np.full(norms.shape, np.nan)
    return np.asarray(np.divide((x * y).sum(axis=-1), norms, out=out, where=norms > 0))


def dilution(first: ArrayLike, final: ArrayLike) -> Array:
    """1 - final / first: the share of an effect at site 1 that is gone at the final site.

    0 where nothing is lost, 1 where all is, negative where the effect grows; NaN where the first
    is not positive: nothing was there to lose.
    """
    start, end = np.asarray(first, dtype=float), np.asarray(final, dtype=float)
    out = np.full(np.broadcast(start, end).shape, np.nan)
    ratio = np.divide(end, start, out=out, where=start > 0)
    return np.asarray(1 - ratio)


def inside_mean(values: ArrayLike, coverage: ArrayLike) -> Array:
    """Mean of (..., N) weighted by the mask's coverage (N,); NaN for an empty mask."""
    v, c = np.asarray(values, dtype=float), np.asarray(coverage, dtype=float)
    total = float(c.sum())
    return np.asarray(v @ c / total) if total > 0 else np.full(v.shape[:-1], np.nan)
