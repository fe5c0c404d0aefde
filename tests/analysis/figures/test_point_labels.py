from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis.figures.point_labels import label_points


@pytest.mark.parametrize("seed", range(3))
def test_names_hide_neither_each_other_nor_points(seed: int) -> None:
    figure = Figure(figsize=(6.75, 2.2), dpi=100)
    panel = figure.subplots()
    points = [tuple(point) for point in np.random.default_rng(seed).random((9, 2))]
    points[1] = (points[0][0] + 0.004, points[0][1])  # all but on each other
    panel.set(xlim=(-0.2, 1.2), ylim=(-0.2, 1.2))
    names = [f"TwoWayFusion{number}" for number in range(9)]
    places = label_points(panel, points, names, colours=["k"] * 9, fontsize=7)
    assert all(place.free for place in places)
    for index, place in enumerate(places):
        others = [other.box for other in places[:index]]
        assert not any(place.box.overlaps(other) for other in others)
        assert panel.bbox.x0 <= place.box.x0 and place.box.x1 <= panel.bbox.x1
        for x, y in panel.transData.transform(points):
            assert not place.box.contains(x, y)
    assert sorted(text.get_text() for text in panel.texts) == sorted(names)
    assert len(panel.lines) == sum(place.leader is not None for place in places)


def test_a_name_keeps_off_bars_and_says_where_it_cannot() -> None:
    panel = Figure(figsize=(2, 2), dpi=100).subplots()
    panel.set(xlim=(0, 1), ylim=(0, 1))
    free, barred = (
        label_points(panel, [(0.5, 0.5)], ["name"], colours=["k"], fontsize=7, bars=bars)[0]
        for bars in ((), [(0.3, 0.0)])
    )
    middle = panel.transData.transform((0.5, 0.5))[1]
    assert free.box.y0 < middle < free.box.y1 and free.free
    assert not barred.box.y0 < middle < barred.box.y1 and barred.free
    (wide,) = label_points(panel, [(0.5, 0.5)], ["w" * 99], colours=["k"], fontsize=7)
    assert not wide.free
