from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.figures import qualitative
from analysis.runs.results import Results, load_runs


@pytest.fixture
def results(write_grid: Callable[..., Path], save_predictions, tmp_path: Path) -> Results:
    folder = write_grid(
        tmp_path / "demo", cells={"none": 0.2, "both": 0.6}, seeds=(0,), reference="both"
    )
    for shift, cell in ((40, "none"), (0, "both")):
        save_predictions(folder / "runs" / f"{cell}-s0-x", shift, num_frames=3)
    return load_runs(folder)


def test_rows_of_one_clip(results: Results) -> None:
    clip = qualitative.collect(results)[0]
    panels = Figure().subplots(6, 3)
    qualitative.draw(clip, panels, labelled=True)
    written = [[text.get_text() for text in panel.texts] for panel in panels[:, 0]]
    assert [texts[-1] for texts in written[:-1]] == [
        "frame",
        "ground truth",
        "none",
        "both",
        "both, audio\nswapped",
    ]
    assert written[3][0] == f"J {clip.rows[1].score[1]:.2f}"
    assert [panel.get_title() for panel in panels[0]] == ["1 s", "2 s", "3 s"]
    # One picture where there is no mask, two where there is one.
    assert [len(panels[row, 0].images) for row in range(6)] == [1, 2, 2, 2, 2, 1]
    assert [len(panels[1, column].images) for column in range(3)] == [2, 1, 2]
    sound = panels[-1, 0].images[0].get_array()
    np.testing.assert_array_equal(sound, clip.log_mel[0].T)
    assert panels[0, 0].images[0].get_extent() == [0, 128, 96, 0]


def test_columns_align_across_rows(results: Results) -> None:
    figure, (first, second) = qualitative.lay_out(qualitative.collect(results))
    assert figure.get_figwidth() == 6.75
    for block in (first, second):
        left = np.array([[panel.get_position().x0 for panel in row] for row in block])
        assert np.ptp(left, axis=0).max() < 1e-9 and (np.diff(left[0]) > 0).all()
    assert first[0, -1].get_position().x1 < second[0, 0].get_position().x0
    assert second[0, -1].get_position().x1 < 1
    bottom = first[-1, 0].get_position()
    assert 0 <= bottom.y0 < bottom.y1 < first[-2, 0].get_position().y0


def test_files(results: Results, tmp_path: Path) -> None:
    paths = qualitative.make(results, tmp_path / "figures", num_clips=1)
    assert [path.name for path in paths] == [
        f"qualitative.{kind}" for kind in ("pdf", "png", "csv")
    ]
    assert matplotlib.image.imread(paths[1]).shape[1] == 650
    assert len(pd.read_csv(paths[2])) == 3 * 3


def test_lines_of_clips_below_a_title(results: Results) -> None:
    clips = [qualitative.collect(results)[0]] * 3
    figure, blocks = qualitative.lay_out(clips, title="a\nb")
    corners = [block[0, 0].get_position() for block in blocks]
    assert corners[0].x0 == corners[2].x0 < corners[1].x0
    assert corners[0].y0 == corners[1].y0
    assert blocks[0][-1, 0].get_position().y0 > corners[2].y1
    assert blocks[2][-1, 0].get_position().y0 >= 0
    drawn = qualitative.sheet(clips, title="a\nb", captions=["x\n1", "y\n2", "z\n3"])
    assert [text.get_text() for text in drawn.texts] == ["a\nb", "x\n1", "y\n2", "z\n3"]
    assert drawn.get_figheight() > figure.get_figheight(), "captions of two lines need more"


def test_chosen_cells(results: Results) -> None:
    (first, *_) = qualitative.collect(results, cells=["none"])
    assert [row.label for row in first.rows] == ["none"]
    with pytest.raises(ValueError, match="unknown cell 'non'; did you mean 'none'"):
        qualitative.collect(results, cells=["non"])


def test_nothing_saved_nothing_drawn(grid_folder: Path, tmp_path: Path) -> None:
    assert qualitative.make(load_runs(grid_folder), tmp_path / "figures") == []
    assert not (tmp_path / "figures").exists()
