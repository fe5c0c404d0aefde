from __future__ import annotations

import pytest

from ablations.grids.axes import AxisValue, GridError, parse_axes, parse_named_cells


def names(*nodes, path="model.fusion"):
    return [value.name for value in parse_axes({path: list(nodes)})[0].values]


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([dict(type="A"), None], ["A", "no fusion"]),
        ([dict(type="A"), "B", None], ["A", "B", "no fusion"]),
        ([dict(type="A"), dict(type="A", heads=2)], ["A", "A(heads=2)"]),
        (
            [dict(type="A", heads=2, x=1), dict(type="A", heads=4, x=1), dict(type="B", heads=4)],
            ["A(heads=2)", "A(heads=4)", "B"],
        ),
        (
            [dict(type="A", inner=dict(type="C")), dict(type="A", inner=None)],
            ["A(inner=C)", "A(inner=None)"],
        ),
        ([[], [1]], ["no fusion", "fusion=[1]"]),
        ([[], [dict(type="A")], [dict(type="B"), dict(type="C")]], ["no fusion", "A", "B + C"]),
        ([[dict(type="A", n=1)], [dict(type="A", n=2)]], ["A(n=1)", "A(n=2)"]),
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
                3: [1],
            }
        )
    for part in (
        "axis 'empty': got []",
        "axis 'mixed': mixes named values",
        "axis 'half', value 'a': missing key 'set'",
        "axis 'half', value 1: unknown key 'colour'",
        "axis 'half', value 1: missing key 'name'",
        "axis 'half', value ' ': name: got ' '",
        "axis 'twice': several values are named 'a'",
        "axis 'same': several values are named 'same=1'",
        "axis 'kind', value 'a': set: got 3",
        "axis 3: its name must be a text",
    ):
        assert part in "\n".join(caught.value.problems)


def test_a_value_may_start_from_another_config() -> None:
    (axis,) = parse_axes(
        {
            "method": [
                dict(name="ours", set={}),
                dict(name="theirs", config="methods/x", set={"a": 1}),
            ]
        }
    )
    assert [value.config for value in axis.values] == [None, "methods/x"]
    assert axis.values[1].overrides == {"a": 1}


def test_another_config_alone_needs_no_settings() -> None:
    (cell,) = parse_named_cells([dict(name="theirs", config="methods/x")])
    assert cell == AxisValue("theirs", {}, "methods/x")


def test_all_problems_of_named_cells_at_once() -> None:
    with pytest.raises(GridError) as caught:
        parse_named_cells(
            [
                "plain",
                dict(name="a"),
                dict(name="b", set={1: 2}),
                dict(name="c", config=3),
                dict(name="d", sett={}),
                dict(name="e", set={}),
                dict(name="e", set={}),
            ]
        )
    for part in (
        "cells: got 'plain'",
        "cell 'a': missing key 'set'",
        "cell 'b': set: got {1: 2}",
        "cell 'c': config: got 3",
        "cell 'd': unknown key 'sett'; did you mean 'set'?",
        "cells: several are named 'e'",
    ):
        assert part in "\n".join(caught.value.problems)
