from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.figures import dilution_curves
from analysis.figures.dilution_curves import SIGNAL
from tests.analysis.planted import Rows, at_sites, over_clips


@pytest.fixture
def clips() -> pd.DataFrame:
    def capture(level: float) -> Rows:
        three: dict[str, Any] = {"clips": ("a", "b", "c")}
        rows = at_sites("gain", value=lambda site, **_: level / site, **three)
        rows += at_sites("gain", value=9.0, heads=[0], **three)
        for quantity in ("js", "output_change", "token_signal"):
            rows += at_sites(quantity, "swapped", level, **three)
            rows += at_sites(quantity, "silence", 0.5, **three)
        return rows

    return over_clips({"ours": capture(0.6), "token": capture(0.3)})


def test_lines_stand_at_the_means(clips: pd.DataFrame) -> None:
    numbers = dilution_curves.collect(clips)
    panels = Figure().subplots(2, 2).ravel()
    dilution_curves.draw(numbers, panels)

    assert numbers.arms == ("ours", "token")
    gain = {line.get_label(): list(line.get_ydata()) for line in panels[0].lines[:2]}
    assert gain["ours"] == pytest.approx([0.6, 0.3, 0.2])
    assert gain["token"] == pytest.approx([0.3, 0.15, 0.1])
    assert list(panels[1].lines[0].get_ydata()) == pytest.approx([0.6] * 3)


def test_files(clips: pd.DataFrame, tmp_path) -> None:
    paths = dilution_curves.make(clips, tmp_path)
    assert [p.name for p in paths[:3]] == [f"dilution_curves.{k}" for k in ("pdf", "png", "csv")]
    # Two arms, four quantities, three sites.
    assert len(pd.read_csv(paths[2])) == 24


def test_arms_that_no_sound_changes_stand_with_the_others_against_no_prompts(tmp_path) -> None:
    gains = at_sites("gain", value=lambda site, **_: 0.1 * site)
    arms = {"box": "no prompts", "ours": "swapped"}
    clips = over_clips({arm: gains + at_sites("js", arms[arm], 0.2) for arm in arms})

    names = [path.name for path in dilution_curves.make(clips, tmp_path)]
    assert "dilution_curves_no_prompts.pdf" in names

    held = pd.read_csv(tmp_path / "dilution_curves_no_prompts.csv")
    assert set(held[held["quantity"] == "gain"]["arm"]) == {"box", "ours"}
    assert set(held[held["quantity"] == "js"]["arm"]) == {"box"}
    bare = clips[clips["condition"] != "no prompts"]
    assert [p.stem for p in dilution_curves.make(bare, tmp_path)] == ["dilution_curves"] * 3


def test_an_arm_keeps_its_colour_in_every_panel(clips: pd.DataFrame) -> None:
    panels = Figure().subplots(2, 2).ravel()
    fewer = clips[(clips["arm"] == "token") | (clips["quantity"] == "gain")]
    dilution_curves.draw(dilution_curves.collect(fewer), panels)

    colours = [
        {line.get_label(): line.get_color() for line in panel.lines if line.get_marker() != "None"}
        for panel in panels
    ]
    assert set(colours[1]) == {"token"} and colours[1]["token"] == colours[0]["token"]


@pytest.fixture
def signals() -> pd.DataFrame:
    rows = at_sites("gain")
    for number, panel in enumerate(SIGNAL, start=1):
        of_site = lambda site, number=number, **_: number / site  # noqa: E731
        rows += at_sites(panel.quantity, "swapped", of_site, clips=("a", "b"))
    return over_clips({"none": at_sites("gain"), "ours": rows})


def test_a_panel_a_quantity_of_the_signal(signals: pd.DataFrame) -> None:
    numbers = dilution_curves.collect(signals, SIGNAL)
    panels = Figure().subplots(1, 5)
    dilution_curves.draw(numbers, panels)

    for number, panel in enumerate(panels, start=1):
        (line,) = [line for line in panel.lines if line.get_label() == "ours"]
        assert list(line.get_ydata()) == pytest.approx([number, number / 2, number / 3])
        assert not [line for line in panel.lines if line.get_label() == "none"]


def test_files_of_the_signal(signals: pd.DataFrame, tmp_path) -> None:
    paths = dilution_curves.make(signals, tmp_path)[3:]
    assert [p.name for p in paths] == [f"signal_retention.{k}" for k in ("pdf", "png", "csv")]
    assert len(pd.read_csv(paths[2])) == 5 * 3
    other = dilution_curves.make(signals, tmp_path, condition="silence")
    assert [path.stem for path in other] == ["dilution_curves"] * 3, "gains alone"
