"""What error a look at unfinished data may spend, so that all looks together keep a level."""

from __future__ import annotations

SMALLEST = 1e-6
"""Level below which a look is not worth taking: what it could spend, the next one has."""


def spent(alpha: float, share: float) -> float:
    """Return what may be spent of ``alpha`` once a ``share`` of the data is there.

    2 - 2 Φ(z / √share) with the two-sided quantile z of ``alpha``: next to nothing early, nearly
    all in the end, as O'Brien and Fleming's boundary does (Lan and DeMets, Biometrika 70, 1983).
    """
    from scipy.special import ndtr, ndtri

    return float(2 * ndtr(ndtri(alpha / 2) / share**0.5))


def level_of_look(alpha: float, number: int, most: int, before: float) -> float | None:
    """Return the level of a test after ``number`` of ``most`` seeds.

    Whatever the tests have in common, and these share seeds and clips, at least one errs no more
    often than the sum of their levels, which is what is spent.

    Args:
        alpha: of all looks together.
        number: seeds that are there.
        most: seeds after which it ends.
        before: what earlier looks have spent.

    Returns:
        None where it is not worth a look yet.
    """
    level = spent(alpha, number / most) - before
    return None if level < SMALLEST else level
