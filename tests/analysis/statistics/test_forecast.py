from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.runs.results import Results, load_runs
from analysis.statistics.contrasts import contrast_of
from analysis.statistics.forecast import against, forecast, forecast_table, seeds_of_cells
from analysis.statistics.power import detectable, needed, power, variances

J = ("test", "J")


@pytest.fixture
def results(planted: Callable[..., Path]) -> Results:
    return load_runs(planted({"up": 0.05, "same": 0.0}, num_seeds=3))


def test_points_are_hundredths_of_the_range_and_the_family_shares_the_level(results) -> None:
    rows = against(["b", "up", "same"], "b", J)
    assert list(rows) == ["up", "same"]
    found = forecast(results, rows, 1.0)["up"]
    own = variances(contrast_of(results, rows["up"]))
    assert (found.seeds, found.clips, found.unknown) == (3, 30, "")
    assert found.detects == pytest.approx(100 * detectable(own, 3, 30, 0.025))
    assert found.needed == needed(own, 0.01, 3, 30, 0.025)
    assert power(own, 0.01, found.needed.seeds, 30, 0.025) >= 0.8
    shown = forecast_table({"up": found})
    assert shown["up", "measured"] == "3 seeds, 30 clips"
    assert shown["up", "seeds needed"] == str(found.needed.seeds)
    assert shown["up", "finds, points"] == f"{found.detects:.2f}"


def test_a_cell_has_the_seeds_of_all_that_it_is_compared_in(results) -> None:
    found = forecast(results, against(results.cells, "b", J), 0.5)
    each = {name: row.needed.seeds for name, row in found.items()}
    assert seeds_of_cells(found) == {**each, "b": max(each.values())}


def test_what_is_not_known_is_said(results, planted) -> None:
    found = forecast(results, against(["up", "new"], "b", J), 1.0)
    assert found["new"].unknown == "no finished run of 'new'"
    assert forecast_table(found)["new", "measured"] == "nothing"
    assert "new" not in seeds_of_cells(found)
    one = load_runs(planted({"up": 0.05}, num_seeds=1, name="one"))
    (row,) = forecast(one, against(["up"], "b", J), 1.0).values()
    assert row.unknown == "one seed: how seeds vary is not known"
    assert row.needed.seeds is None and row.needed.clips is not None
    assert forecast_table({"up": row})["up", "seeds needed"] == "unknown"
