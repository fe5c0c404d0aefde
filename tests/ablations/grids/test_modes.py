from __future__ import annotations

import pytest

from ablations.grids.axes import GridError, parse_axes
from ablations.grids.cells import expand
from ablations.grids.modes import parse_conditions

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


LOSS = [dict(name="AudioCon", set={"loss": dict(type="A")}), dict(name="off", set={"loss": None})]
THREE = {"loss": LOSS, "loss.temperature": [0.1, 0.5], "epochs": [1, 2]}
WHEN = {"loss.temperature": {"loss": ["AudioCon"]}}


def cells(axes, **options):
    return expand(parse_axes(axes), [0], **options)


def names(axes, **options) -> list[str]:
    return [cell.name for cell in cells(axes, **options)]


def test_an_axis_that_does_not_apply_leaves_no_trace() -> None:
    made = cells(THREE, when=WHEN)
    assert [cell.name for cell in made] == [
        "AudioCon, temperature=0.1, epochs=1",
        "AudioCon, temperature=0.1, epochs=2",
        "AudioCon, temperature=0.5, epochs=1",
        "AudioCon, temperature=0.5, epochs=2",
        "off, epochs=1",
        "off, epochs=2",
    ]
    assert made[-1].axes == {"loss": "off", "epochs": "epochs=2"}
    assert made[-1].overrides == {"loss": None, "epochs": 2}


def test_a_conditional_axis_may_stand_before_its_condition() -> None:
    made = cells({"epochs": [1, 2], "seed": [5, 6]}, when={"epochs": {"seed": [6]}})
    assert [cell.name for cell in made] == ["seed=5", "epochs=1, seed=6", "epochs=2, seed=6"]
    assert list(made[-1].overrides) == ["epochs", "seed"]


def test_conditions_chain_and_add_up() -> None:
    axes = {"a": [1, 2], "b": [1, 2], "c": [1, 2]}
    when = {"b": {"a": [2]}, "c": {"a": [2], "b": 2}}
    assert names(axes, when=when) == ["a=1", "a=2, b=1", "a=2, b=2, c=1", "a=2, b=2, c=2"]


def test_exclusions() -> None:
    exclude = [{"loss": "off", "epochs": 2}, {"loss.temperature": [0.5], "epochs": 1}]
    assert names(THREE, when=WHEN, exclude=exclude) == [
        "AudioCon, temperature=0.1, epochs=1",
        "AudioCon, temperature=0.1, epochs=2",
        "AudioCon, temperature=0.5, epochs=2",
        "off, epochs=1",
    ]


def test_one_at_a_time_varies_each_axis_alone() -> None:
    made = cells({"a": [1, 2, 3], "b": ["x", "y"]}, mode="one_at_a_time")
    assert [cell.name for cell in made] == ["base", "a=2", "a=3", "b=y"]
    # The first values are set in every cell: the base is what the grid says, not the config.
    assert [dict(cell.overrides) for cell in made] == [
        {"a": 1, "b": "x"},
        {"a": 2, "b": "x"},
        {"a": 3, "b": "x"},
        {"a": 1, "b": "y"},
    ]
    assert made[0].axes == {"a": "a=1", "b": "b=x"}


def test_one_at_a_time_with_an_axis_that_a_value_switches_off() -> None:
    made = cells(THREE, mode="one_at_a_time", when=WHEN)
    assert [cell.name for cell in made] == ["base", "off", "temperature=0.5", "epochs=2"]
    assert made[1].overrides == {"loss": None, "epochs": 1}


def test_one_at_a_time_with_an_axis_that_the_base_switches_off() -> None:
    axes = {"loss": LOSS[::-1], "loss.temperature": [0.1, 0.5], "epochs": [1, 2]}
    when = {"loss.temperature": {"loss": "AudioCon", "epochs": [1]}}
    made = cells(axes, mode="one_at_a_time", when=when)
    assert [cell.name for cell in made] == [
        "base",
        "AudioCon",
        "AudioCon, temperature=0.5",
        "epochs=2",
    ]
    assert made[1].overrides["loss.temperature"] == 0.1


def test_a_chain_of_axes_that_the_base_switches_off() -> None:
    axes = {"a": [1, 2], "b": [1, 2], "c": [1, 2]}
    when = {"b": {"a": [2]}, "c": {"b": [2]}}
    made = names(axes, mode="one_at_a_time", when=when)
    assert made == ["base", "a=2", "a=2, b=2", "a=2, b=2, c=2"]


def paired(axes):
    return expand(parse_axes(axes, may_repeat=True), [0], mode="paired")


def test_paired_lists_may_repeat_a_value() -> None:
    made = paired({"train": ["middle", "first"], "test": ["first", "first"]})
    assert [cell.name for cell in made] == ["train=middle, test=first", "train=first, test=first"]
    assert made[1].overrides == {"train": "first", "test": "first"}


def test_paired_lists_must_not_repeat_a_cell_nor_a_name() -> None:
    with pytest.raises(GridError, match="several cells are named 'a=1, b=1'"):
        paired({"a": [1, 1], "b": [1, 1]})
    same = [dict(name="x", set={"a": 1}), dict(name="x", set={"a": 2})]
    with pytest.raises(GridError, match="axis 'a': several values are named 'x'"):
        paired({"a": same, "b": [1, 2]})


def test_paired_lists_have_one_length_and_no_conditions() -> None:
    axes = parse_axes({"a": [1, 2], "b": [1, 2, 3]})
    with pytest.raises(GridError, match="one length, got 'a' 2, 'b' 3"):
        expand(axes, [0], mode="paired")
    axes = parse_axes({"a": [1, 2], "b": [1, 2]})
    with pytest.raises(GridError, match="'paired' takes no 'when'"):
        expand(axes, [0], mode="paired", when={"a": {"b": [1]}})
