from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.figures import sweep_importance
from analysis.runs.sweep_results import load_sweep_results


def rows(count: int) -> str:
    """Scores that hang on the fusion almost alone."""
    rng = np.random.default_rng(0)
    lines = []
    for number in range(count):
        fusion, levels = ("SumFusion", "GateFusion")[number % 2], rng.integers(1, 4)
        score = 0.3 + 0.4 * (number % 2) + 0.01 * levels
        lr, heads = 10 ** rng.uniform(-4, -2), "2" if fusion == "SumFusion" else ""
        lines.append(f"{number},complete,{score},{lr},{levels},{fusion},{heads},9,1.0,0,0,\n")
    return "".join(lines)


def test_what_decides_the_score_comes_first(write_sweep_folder: Callable[..., Path]) -> None:
    numbers = sweep_importance.collect(load_sweep_results(write_sweep_folder(rows=rows(24))))
    shares = numbers.set_index("parameter")
    assert list(shares.index)[0] == "model.fusion" and shares["importance"].iloc[0] > 0.8
    assert shares["importance"].sum() == pytest.approx(1)
    # It applies to half of the trials: its share of the variance of all is not defined.
    assert np.isnan(shares.loc["model.fusion.heads", "importance"])
    assert shares.loc["model.fusion.heads", "num_trials"] == 12


def test_the_same_trials_give_the_same_shares(write_sweep_folder: Callable[..., Path]) -> None:
    results = load_sweep_results(write_sweep_folder())
    one, other = (sweep_importance.collect(results) for _ in range(2))
    assert one.equals(other)


def test_too_few_trials_or_equal_scores_have_none(
    write_sweep_folder: Callable[..., Path],
) -> None:
    assert sweep_importance.collect(load_sweep_results(write_sweep_folder(rows=rows(3)))) is None
    same = "".join(f"{n},complete,0.5,1e-3,{1 + n % 3},SumFusion,2,9,1,0,0,\n" for n in range(6))
    assert sweep_importance.collect(load_sweep_results(write_sweep_folder(rows=same))) is None
