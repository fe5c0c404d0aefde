from __future__ import annotations

import subprocess
import sys
import time

import pytest

from ablations.grids.axes import Axis, AxisValue, GridError, parse_axes, parse_named_cells
from ablations.grids.cells import expand


def test_full_product_with_all_cells_before_the_second_seed() -> None:
    axes = parse_axes({"model.fusion": [dict(type="A"), dict(type="B")], "optim.epochs": [1, 2]})
    cells = expand(axes, [0, 7])
    assert [(cell.name, cell.seed) for cell in cells[:5]] == [
        ("A, epochs=1", 0),
        ("A, epochs=2", 0),
        ("B, epochs=1", 0),
        ("B, epochs=2", 0),
        ("A, epochs=1", 7),
    ]
    assert len(cells) == 8
    assert cells[2].axes == {"model.fusion": "B", "optim.epochs": "epochs=1"}
    assert cells[2].overrides == {"model.fusion": dict(type="B"), "optim.epochs": 1}


def test_named_values_set_several_paths() -> None:
    axes = parse_axes(
        {
            "prompts": [
                dict(name="none", set={"model.sparse_prompt": None, "model.dense_prompt": None}),
                dict(name="both", set={}),
            ]
        }
    )
    none, both = expand(axes, [0])
    assert (none.name, both.name, both.overrides) == ("none", "both", {})
    assert list(none.overrides) == ["model.sparse_prompt", "model.dense_prompt"]


def test_no_axes_give_the_base_alone() -> None:
    assert [cell.name for cell in expand((), [0])] == ["base"]


@pytest.mark.parametrize("seeds", [[], [0, 0], [-1], [1.5], [True], ["0"]])
def test_bad_seeds(seeds) -> None:
    with pytest.raises(GridError, match="seeds: "):
        expand((), seeds)


def test_cells_need_names_of_their_own() -> None:
    first = Axis("a", (AxisValue("x", {"a": 1}), AxisValue("x, y", {"a": 2})))
    second = Axis("b", (AxisValue("y, z", {"b": 1}), AxisValue("z", {"b": 2})))
    with pytest.raises(GridError, match="several cells are named 'x, y, z'"):
        expand((first, second), [0])


@pytest.mark.parametrize("later", ["model.fusion", "model.fusion.heads"])
def test_an_axis_must_not_undo_another(later: str) -> None:
    axes = parse_axes({"first": [dict(name="a", set={"model.fusion.heads": 2})], later: [1]})
    with pytest.raises(GridError, match=f"sets {later} and undoes model.fusion.heads of axis"):
        expand(axes, [0])


def test_an_axis_may_refine_an_earlier_one() -> None:
    axes = parse_axes({"model.fusion": [dict(type="A")], "model.fusion.heads": [1, 2]})
    assert [cell.name for cell in expand(axes, [0])] == ["A, heads=1", "A, heads=2"]


NAMED = parse_named_cells(
    [dict(name="as released", config="released"), dict(name="quick", set={"optim.epochs": 1})]
)


def test_named_cells_come_last_and_once_a_seed() -> None:
    cells = expand(parse_axes({"a": [1, 2]}), [0, 4], named_cells=NAMED)
    assert [cell.name for cell in cells[:4]] == ["a=1", "a=2", "as released", "quick"]
    assert (cells[2].config, cells[2].axes, cells[2].overrides) == ("released", {}, {})
    assert (cells[3].config, cells[3].overrides) == (None, {"optim.epochs": 1})
    assert [cell.seed for cell in cells] == [0] * 4 + [4] * 4


def test_named_cells_need_no_axes_and_no_base_cell() -> None:
    assert [cell.name for cell in expand((), [0], named_cells=NAMED)] == ["as released", "quick"]


def test_a_named_cell_needs_a_name_of_its_own() -> None:
    axes = parse_axes({"way": [dict(name="quick", set={}), dict(name="b", set={"a": 1})]})
    with pytest.raises(GridError, match="several cells are named 'quick'"):
        expand(axes, [0], named_cells=NAMED)


def test_a_cell_starts_from_one_config() -> None:
    other = [dict(name="x", config="one"), dict(name="y", set={})]
    cells = expand(parse_axes({"a": other, "b": [1, 2]}), [0])
    assert [cell.config for cell in cells] == ["one", "one", None, None]
    with pytest.raises(GridError, match="cell 'x, x': axes 'a' and 'b' both name a config"):
        expand(parse_axes({"a": other, "b": other}), [0])


def test_all_problems_at_once() -> None:
    axes = parse_axes({"a": [1, 2], "b": [1, 2]})
    with pytest.raises(GridError) as caught:
        expand(axes, [], mode="produkt", when={"c": {"a": [1]}}, exclude=[{"a": 3}])
    text = "\n".join(caught.value.problems)
    for part in ("seeds: got none", "did you mean 'product'?", "when: unknown axis 'c'", "'3'"):
        assert part in text


def test_something_must_be_left() -> None:
    axes = parse_axes({"a": [1, 2], "b": [1, 2]})
    with pytest.raises(GridError, match=r"leaves out every cell \(4 of 4\)"):
        expand(axes, [0], exclude=[{"a": [1, 2]}])
    with pytest.raises(GridError, match="leaves out the base"):
        expand(axes, [0], mode="one_at_a_time", exclude=[{"a": 1, "b": 1}])
    with pytest.raises(GridError, match="axis 'b' applies to no cell"):
        expand(axes, [0], when={"b": {"a": [2]}}, exclude=[{"a": 2}])


def test_what_is_left_out_may_contradict_itself() -> None:
    axes = parse_axes({"a": [dict(name="x", set={"n.k": 1}), dict(name="y", set={})], "n": [1, 2]})
    cells = expand(axes, [0], exclude=[{"a": "x"}])
    assert [cell.name for cell in cells] == ["y, n=1", "y, n=2"]


def test_a_thousand_cells_take_less_than_a_second() -> None:
    axes = parse_axes({f"model.a{i}": list(range(10)) for i in range(2)})
    began = time.perf_counter()
    assert len(expand(axes, range(10))) == 1000
    assert time.perf_counter() - began < 1.0


def test_expanding_needs_neither_torch_nor_mmengine() -> None:
    program = "import sys, ablations.grids.cells; print({'torch', 'mmengine'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
