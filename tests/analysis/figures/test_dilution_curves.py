from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.dilution.capture import COLUMNS
from analysis.dilution.indices import clip_means
from analysis.figures import dilution_curves, site_matrix


@pytest.fixture
def clips() -> pd.DataFrame:
    def capture(level: float, injects: bool) -> pd.DataFrame:
        listed = []
        for clip in ("a", "b", "c"):
            for site in (1, 2, 3):
                listed.append((clip, 0, "gain", "true", 0, site, -1, "mask", level / site))
                listed.append((clip, 0, "gain", "true", 0, site, 0, "mask", 9.0))
                for quantity in ("js", "output_change", "token_signal"):
                    listed.append((clip, 0, quantity, "swapped", 0, site, -1, "mask", level))
                    listed.append((clip, 0, quantity, "silence", 0, site, -1, "mask", 0.5))
                for swapped_at in (1, 2, 3) if injects else ():
                    effect = level if site >= swapped_at else 0.0
                    key = (clip, 0, "js", "swapped", swapped_at, site, -1, "mask")
                    listed.append((*key, effect))
        return pd.DataFrame(listed, columns=list(COLUMNS))

    return clip_means({("ours", 0): capture(0.6, True), ("token", 0): capture(0.3, False)})


def test_lines_stand_at_the_means(clips: pd.DataFrame) -> None:
    numbers = dilution_curves.collect(clips)
    panels = Figure().subplots(2, 2).ravel()
    dilution_curves.draw(numbers, panels)

    assert numbers.arms == ("ours", "token")
    gain = {line.get_label(): list(line.get_ydata()) for line in panels[0].lines[:2]}
    assert gain["ours"] == pytest.approx([0.6, 0.3, 0.2])
    assert gain["token"] == pytest.approx([0.3, 0.15, 0.1])
    assert list(panels[1].lines[0].get_ydata()) == pytest.approx([0.6] * 3)


def test_matrices_of_arms_that_inject(clips: pd.DataFrame, tmp_path) -> None:
    numbers = site_matrix.collect(clips)
    assert list(numbers.matrices) == ["ours"]
    np.testing.assert_allclose(numbers.matrices["ours"], 0.6 * np.triu(np.ones((3, 3))))

    paths = site_matrix.make(clips, tmp_path)
    held = pd.read_csv(paths[2])
    assert len(held) == 9 and held["effect"].sum() == pytest.approx(6 * 0.6)


def test_no_matrix_without_injection(clips: pd.DataFrame, tmp_path) -> None:
    assert site_matrix.make(clips[clips["arm"] == "token"], tmp_path) == []


def test_files(clips: pd.DataFrame, tmp_path) -> None:
    paths = dilution_curves.make(clips, tmp_path)
    assert [p.name for p in paths] == [f"dilution_curves.{k}" for k in ("pdf", "png", "csv")]
    # Two arms, four quantities, three sites.
    assert len(pd.read_csv(paths[2])) == 24


def test_arms_that_no_sound_changes_stand_with_the_others_against_no_prompts(tmp_path) -> None:
    def capture(condition: str) -> pd.DataFrame:
        listed = [("a", 0, "gain", "true", 0, s, -1, "mask", 0.1 * s) for s in (1, 2, 3)]
        listed += [("a", 0, "js", condition, 0, s, -1, "mask", 0.2) for s in (1, 2, 3)]
        return pd.DataFrame(listed, columns=list(COLUMNS))

    clips = clip_means({("box", 0): capture("no prompts"), ("ours", 0): capture("swapped")})

    paths = dilution_curves.make_no_prompts(clips, tmp_path)

    assert [p.name for p in paths][:1] == ["dilution_curves_no_prompts.pdf"]
    held = pd.read_csv(paths[2])
    assert set(held[held["quantity"] == "gain"]["arm"]) == {"box", "ours"}
    assert set(held[held["quantity"] == "js"]["arm"]) == {"box"}
    bare = clips[clips["condition"] != "no prompts"]
    assert dilution_curves.make_no_prompts(bare, tmp_path) == []


def test_an_arm_keeps_its_colour_in_every_panel(clips: pd.DataFrame) -> None:
    panels = Figure().subplots(2, 2).ravel()
    fewer = clips[(clips["arm"] == "token") | (clips["quantity"] == "gain")]
    dilution_curves.draw(dilution_curves.collect(fewer), panels)

    colours = [
        {line.get_label(): line.get_color() for line in panel.lines if line.get_marker() != "None"}
        for panel in panels
    ]
    assert set(colours[1]) == {"token"} and colours[1]["token"] == colours[0]["token"]
