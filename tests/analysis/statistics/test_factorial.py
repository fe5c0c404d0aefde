from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.runs.results import Results
from analysis.statistics.contrasts import contrast_of
from analysis.statistics.factorial import effects, factorial, joint_contrasts

J = ("test", "J")
AXES = {"size": ("s", "m", "l"), "loss": ("off", "on")}
EXACT = {"num_seeds": 2, "num_clips": 3, "spread": (0.0, 0.0, 0.0)}
SCORES = {
    ("s", "off"): 0.30, ("m", "off"): 0.40, ("l", "off"): 0.45,
    ("s", "on"): 0.34, ("m", "on"): 0.50, ("l", "on"): 0.61,
}  # fmt: skip


def estimates(results: Results) -> dict[str, float]:
    design = factorial(results)
    found = {}
    for effect in effects(design):
        sample = contrast_of(results, {(cell, J): w for cell, w in effect.weights.items()})
        found[effect.name] = round(float(sample.values.mean()), 9)
    return found


def test_effects_of_a_full_grid_by_hand(grid_of) -> None:
    results = grid_of(AXES, lambda *at: SCORES[at], **EXACT)
    assert estimates(results) == pytest.approx(
        {
            "size: m − s": (0.10 + 0.16) / 2,
            "size: l − s": (0.15 + 0.27) / 2,
            "loss: on − off": (0.04 + 0.10 + 0.16) / 3,
            "size: m − s × loss: on − off": 0.10 - 0.04,
            "size: l − s × loss: on − off": 0.16 - 0.04,
        }
    )
    design = factorial(results)
    assert design.full and design.notes == ()
    assert [effect.num_places for effect in effects(design)] == [2, 2, 3, 1, 1]


def test_the_reference_cell_names_the_reference_levels(grid_of) -> None:
    results = grid_of(AXES, lambda *at: SCORES[at], **EXACT, reference="m, on")
    found = estimates(results)
    assert found["loss: off − on"] == pytest.approx(-0.1)
    assert found["size: s − m × loss: off − on"] == pytest.approx(0.06)
    assert set(found) >= {"size: s − m", "size: l − m"}


def test_a_third_axis_is_averaged_over(grid_of) -> None:
    axes = {**AXES, "text": ("no", "yes")}

    def score(size: str, loss: str, text: str) -> float:
        return SCORES[size, loss] + 0.1 * (text == "yes" and loss == "on")

    results = grid_of(axes, score, **EXACT)
    found = estimates(results)
    assert found["size: m − s × loss: on − off"] == pytest.approx(0.06)
    assert found["loss: on − off"] == pytest.approx(0.1 + 0.05)
    assert found["loss: on − off × text: yes − no"] == pytest.approx(0.1)
    assert len(found) == 2 + 1 + 1 + 2 + 2 + 1


def test_a_grid_that_is_not_full_says_so_and_compares_what_is_there(grid_of) -> None:
    results = grid_of(AXES, lambda *at: SCORES[at], **EXACT, left_out=["l, on"])
    found = estimates(results)
    assert found["size: l − s"] == pytest.approx(0.15) and found["size: m − s"] == 0.13
    assert found["loss: on − off"] == pytest.approx(0.07)
    assert "size: l − s × loss: on − off" not in found
    design = factorial(results)
    assert not design.full
    (note,) = design.notes
    assert note.startswith("the grid is not full: 1 of 6 combinations have no finished cell (l, on")
    counts = {effect.levels: (effect.num_places, effect.of) for effect in effects(design)}
    assert counts[("l",)] == (1, 2) and counts[("on",)] == (2, 3)


def test_one_axis_at_a_time_has_main_effects_and_no_interaction(grid_of) -> None:
    results = grid_of(AXES, lambda *at: SCORES[at], **EXACT, left_out=["m, on", "l, on"])
    assert estimates(results) == pytest.approx(
        {"size: m − s": 0.10, "size: l − s": 0.15, "loss: on − off": 0.04}
    )


def test_cells_without_a_place_are_named(grid_of) -> None:
    results = grid_of(AXES, lambda *at: SCORES[at], **EXACT)
    axes = {cell: own for cell, own in results.axes.items() if cell != "l, on"}
    design = factorial(replace(results, axes={**axes, "l, on": {"size": "l"}}))
    assert "l, on" not in design.cells.values()
    assert design.notes[-1] == "no place on the axes size, loss: l, on"


@pytest.mark.parametrize(
    "axes",
    [
        {"size": ("s", "m")},
        {"size": ("s", "m"), "loss": ("on",)},
    ],
)
def test_one_axis_is_no_factorial(grid_of, axes) -> None:
    assert factorial(grid_of(axes, lambda *_: 0.5, **EXACT)) is None


def test_two_cells_in_one_place_are_no_factorial(grid_of) -> None:
    results = grid_of(AXES, lambda *at: SCORES[at], **EXACT)
    axes = {**results.axes, "s, off": results.axes["s, on"]}
    assert factorial(replace(results, axes=axes)) is None


@pytest.mark.parametrize("axes", [("size",), ("loss",), ("size", "loss")])
def test_joint_contrasts_are_orthonormal_and_of_their_axes_alone(grid_of, axes) -> None:
    design = factorial(grid_of({**AXES, "text": ("no", "yes")}, lambda *_: 0.5, **EXACT))
    places = {cell: place for place, cell in design.cells.items()}
    rows = [
        {places[cell]: weight for cell, weight in row.items()}
        for row in joint_contrasts(design, axes).values()
    ]
    assert len(rows) == {("size",): 2, ("loss",): 1, ("size", "loss"): 2}[axes]
    values = np.array([[row[place] for place in sorted(row)] for row in rows])
    kept = {"size": 3, "loss": 2}
    averaged = 12 / np.prod([kept[axis] for axis in axes])
    np.testing.assert_allclose(values @ values.T * averaged, np.eye(len(rows)), atol=1e-12)
    np.testing.assert_allclose(values.sum(1), 0, atol=1e-12)
    # What another axis does alone is not seen.
    alone = np.array([place[2] == "yes" for place in sorted(rows[0])], float)
    np.testing.assert_allclose(values @ alone, 0, atol=1e-12)
