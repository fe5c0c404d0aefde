from __future__ import annotations

import pytest

from ablations.grids.grid import GridError, expand, parse_axes

LOSS = [dict(name="AudioCon", set={"loss": dict(type="A")}), dict(name="off", set={"loss": None})]
AXES = {"loss": LOSS, "loss.temperature": [0.1, 0.5], "epochs": [1, 2]}
WHEN = {"loss.temperature": {"loss": ["AudioCon"]}}


def cells(axes, **options):
    return expand(parse_axes(axes), [0], **options)


def names(axes, **options) -> list[str]:
    return [cell.name for cell in cells(axes, **options)]


def test_an_axis_that_does_not_apply_leaves_no_trace() -> None:
    made = cells(AXES, when=WHEN)
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
    assert names(AXES, when=WHEN, exclude=exclude) == [
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
    made = cells(AXES, mode="one_at_a_time", when=WHEN)
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
