from __future__ import annotations

import pytest

from ablations.grids.axes import GridError, parse_axes
from ablations.grids.conditions import parse_conditions

AXES = parse_axes(
    {
        "loss": [dict(name="none", set={"l": None}), dict(name="con", set={"l": dict(type="C")})],
        "l.temperature": [0.1, 0.5, True],
        "depths": [(1, 2), (3, 4), None],
    }
)


def problems(when=None, exclude=()) -> str:
    with pytest.raises(GridError) as caught:
        parse_conditions(AXES, when or {}, exclude)
    return "\n".join(caught.value.problems)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("temperature=0.1", {"temperature=0.1"}),
        (0.1, {"temperature=0.1"}),
        ([0.1, "temperature=0.5"], {"temperature=0.1", "temperature=0.5"}),
        (True, {"temperature=True"}),
    ],
)
def test_a_value_is_called_by_its_name_or_by_itself(wanted, names) -> None:
    (rule,) = parse_conditions(AXES, {}, [{"l.temperature": wanted}]).exclude
    assert rule == {"l.temperature": names}


@pytest.mark.parametrize("wanted", [(1, 2), [(1, 2)], "depths=(1, 2)"])
def test_a_value_that_is_a_list_itself(wanted) -> None:
    assert parse_conditions(AXES, {}, [{"depths": wanted}]).exclude[0] == {
        "depths": {"depths=(1, 2)"}
    }


def test_none_is_a_value() -> None:
    assert parse_conditions(AXES, {}, [{"depths": None}]).exclude[0] == {"depths": {"no depths"}}


def test_one_is_not_true() -> None:
    assert "unknown value '1'" in problems(exclude=[{"l.temperature": 1}])


def test_all_unknown_axes_and_values_at_once() -> None:
    text = problems(
        when={"temperature": {"loss": ["con"]}, "depths": {"los": ["con"], "loss": ["kon", []]}},
        exclude=[{"loss": "non"}, {}, {"dephts": None}, 3, {"loss": []}],
    )
    for part in (
        "when: unknown axis 'temperature'; did you mean 'l.temperature'?",
        "when, axis 'depths': unknown axis 'los'; did you mean 'loss'?",
        "when, axis 'depths': unknown value 'kon'; did you mean 'con'?",
        "(of axis 'loss')",
        "exclude, number 0: unknown value 'non'; did you mean 'none'?",
        "exclude, number 1: got {}",
        "exclude, number 2: unknown axis 'dephts'; did you mean 'depths'?",
        "exclude, number 3: got 3",
        "exclude, number 4: no value of axis 'loss' is listed",
    ):
        assert part in text


def test_axes_that_wait_for_each_other() -> None:
    text = problems(
        when={
            "loss": {"l.temperature": [0.1]},
            "l.temperature": {"depths": [None]},
            "depths": {"l.temperature": [0.5]},
        }
    )
    assert "wait for each other: 'l.temperature' -> 'depths' -> 'l.temperature'" in text
    assert "'loss' -> 'loss'" in problems(when={"loss": {"loss": ["con"]}})


def test_an_axis_stands_behind_those_it_waits_for() -> None:
    conditions = parse_conditions(AXES, {"loss": {"depths": [None]}}, [])
    assert [axis.name for axis in conditions.order] == ["l.temperature", "depths", "loss"]
    assert [axis.name for axis in conditions.axes] == ["loss", "l.temperature", "depths"]
