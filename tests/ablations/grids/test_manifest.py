from __future__ import annotations

import json

import pytest

from ablations.grids.manifest import write_manifest


@pytest.fixture
def written(named_grid, plan_of):
    """Write the manifest of a plan and return what it says."""

    def write(*names: str, grid: dict | None = None, **planning: object) -> dict:
        made = named_grid(*names, **(grid or {}))
        return json.loads(write_manifest(made, plan_of(made, **planning)).read_text())

    return write


def runs(content: dict) -> dict[str, list[int]]:
    return {cell["name"]: [run["seed"] for run in cell["runs"]] for cell in content["cells"]}


def test_the_manifest_lists_cells_in_order_with_their_folders(written) -> None:
    content = written("b", "a", grid=dict(seeds=[0, 1], title="T", reference="a"))
    assert (content["schema"], content["name"], content["title"]) == (1, "tiny", "T")
    assert content["reference"] == "a"
    assert runs(content) == {"b": [0, 1], "a": [0, 1]}
    assert content["cells"][0]["axes"] == {"way": "b"}
    run = content["cells"][0]["runs"][1]
    assert run["folder"] == f"runs/b-s1-{run['run_id']}"


def test_the_manifest_says_how_the_axes_are_combined(written) -> None:
    content = written(
        "a", "b", grid=dict(mode="one_at_a_time", cells=[dict(name="c", config="toy.py")])
    )
    assert (content["mode"], content["axes"]) == ("one_at_a_time", {"way": ["a", "b"]})
    cells = {cell["name"]: (cell["axes"], cell["config"]) for cell in content["cells"]}
    assert (cells["base"], cells["b"]) == (({"way": "a"}, None), ({"way": "b"}, None))
    axes, started_from = cells["c"]
    assert axes == {} and started_from.endswith("toy.py")


def test_seeds_of_earlier_calls_stay(written) -> None:
    written("a", "b", seeds=[0, 1])
    assert runs(written("a", "b", seeds=[2])) == {"a": [0, 1, 2], "b": [0, 1, 2]}


def test_runs_of_a_changed_cell_go(written) -> None:
    written("a", "b", seeds=[0, 1])
    # Swapping the names swaps the epochs, so both cells are other ones now.
    assert runs(written("b", "a", seeds=[2])) == {"b": [2], "a": [2]}
    assert runs(written("b", "a", seeds=[0], overrides={"model.depths": (9,)})) == {
        "b": [0],
        "a": [0],
    }


def test_shared_runs_point_to_one_folder(write_grid, plan_of) -> None:
    values = [dict(name="x", set={}), dict(name="y", set={"optim.epochs": 2})]
    grid = write_grid(axes={"way": values})
    content = json.loads(write_manifest(grid, plan_of(grid)).read_text())
    first, second = (cell["runs"][0]["folder"] for cell in content["cells"])
    assert first == second and first.startswith("runs/x-s0-")
