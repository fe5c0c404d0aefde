from __future__ import annotations

import subprocess
import sys
import time

import pytest

from ablations.grid import Axis, AxisValue, GridError, expand, parse_axes


def names(*nodes, path="model.fusion"):
    return [value.name for value in parse_axes({path: list(nodes)})[0].values]


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


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([dict(type="A"), None], ["A", "no fusion"]),
        ([dict(type="A"), dict(type="A", heads=2)], ["A", "A(heads=2)"]),
        (
            [dict(type="A", heads=2, x=1), dict(type="A", heads=4, x=1), dict(type="B", heads=4)],
            ["A(heads=2)", "A(heads=4)", "B"],
        ),
        (
            [dict(type="A", inner=dict(type="C")), dict(type="A", inner=None)],
            ["A(inner=C)", "A(inner=None)"],
        ),
        ([1, 2.5, "x", (3, 6)], ["fusion=1", "fusion=2.5", "fusion=x", "fusion=(3, 6)"]),
    ],
)
def test_automatic_names_say_what_differs(nodes, expected) -> None:
    assert names(*nodes) == expected


def test_long_values_are_cut() -> None:
    (name,) = names("x" * 200)
    assert len(name) == 60 and name.endswith("…")


def test_all_problems_of_the_axes_at_once() -> None:
    with pytest.raises(GridError) as caught:
        parse_axes(
            {
                "empty": [],
                "mixed": [dict(name="a", set={}), 3],
                "half": [dict(name="a"), dict(set={}, colour=1), dict(name=" ", set={})],
                "twice": [dict(name="a", set={}), dict(name="a", set={"b": 1})],
                "same": [1, 1],
                "kind": [dict(name="a", set=3)],
            }
        )
    text = "\n".join(caught.value.problems)
    for part in (
        "axis 'empty': got []",
        "axis 'mixed': mixes named values",
        "axis 'half', value 0: missing key 'set'",
        "axis 'half', value 1: unknown key 'colour'",
        "axis 'half', value 1: missing key 'name'",
        "axis 'half', value 2: name: got ' '",
        "axis 'twice': several values are named 'a'",
        "axis 'same': several values are named 'same=1'",
        "axis 'kind', value 0: set: got 3",
    ):
        assert part in text


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


def test_a_thousand_cells_take_less_than_a_second() -> None:
    axes = parse_axes({f"model.a{i}": list(range(10)) for i in range(2)})
    began = time.perf_counter()
    assert len(expand(axes, range(10))) == 1000
    assert time.perf_counter() - began < 1.0


def test_expanding_needs_neither_torch_nor_mmengine() -> None:
    program = "import sys, ablations.grid; print({'torch', 'mmengine'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
