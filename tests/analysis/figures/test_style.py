"""The look that figures share; every figure that draws arms tells them apart by it."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

import analysis.figures
from analysis.figures import (
    clicks,
    dilution_curves,
    efficiency,
    embedding_tsne,
    grid_points,
    robustness,
    step_parts,
    style,
)
from analysis.figures import training_curves as curves
from analysis.measured_runs import MeasuredRuns
from analysis.report import charts
from analysis.robustness.measure import Axis, MeasuredRobustness
from auralsam2.engine.metric_scales import MetricScale
from tests.analysis.planted import at_sites, over_clips

Looks = list[tuple[str, str]]
"""Colour and marker, or hatch, of every arm."""


def contrast(colour: str) -> float:
    """With white, as WCAG 2.1 defines it; it asks 3 of what a picture shows."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 1.05 / (float(np.dot(linear, [0.2126, 0.7152, 0.0722])) + 0.05)


def lines(panel: Axes) -> Looks:
    shown = [line for line in panel.lines if not str(line.get_label()).startswith("_")]
    return [(to_hex(line.get_color()), str(line.get_marker())) for line in shown]


def of_dilution(count: int) -> Looks:
    arms = [f"arm {n}" for n in range(count)]
    numbers = dilution_curves.collect(over_clips(dict.fromkeys(arms, at_sites("gain"))))
    panels = Figure().subplots(2, 2).ravel()
    dilution_curves.draw(numbers, panels)
    return lines(panels[0])


def of_training(count: int) -> Looks:
    cells = tuple(f"cell {n}" for n in range(count))
    frame = pd.DataFrame({"cell": cells, "kind": curves.LOSS, "quantity": "total", "step": 1})
    frame = frame.assign(mean=1.0, low=1.0, high=1.0, num_seeds=1)
    panel = Figure().subplots()
    curves.draw(curves.TrainingCurves(cells, ((curves.LOSS, "total"),), frame, None, ()), [panel])
    return lines(panel)


def of_efficiency(count: int) -> Looks:
    measure = efficiency.MEASURES[-1]
    frame = pd.DataFrame({"cell": [f"cell {n}" for n in range(count)], "measure": measure.column})
    frame = frame.assign(cost=10.0, cost_std=0.0, score=0.5, score_std=0.0, front=False)
    panel = Figure().subplots()
    efficiency.draw(efficiency.Efficiency("test", "J", (measure,), frame, ()), [panel])
    dots = [line for line in panel.lines if line.get_marker() in style.MARKERS]
    return [(to_hex(line.get_color()), str(line.get_marker())) for line in dots]


def of_grid(count: int) -> Looks:
    splits = tuple(f"split{n}" for n in range(count))
    frame = pd.DataFrame({"cell": "a", "seed": 0, "split": splits, "metric": "J", "value": 0.5})
    panel = Figure().subplots()
    scales = {"J": MetricScale()}
    grid_points.draw(grid_points.GridPoints(("a",), splits, ("J",), frame, frame, scales), [panel])
    return [(to_hex(bar.get_edgecolor()), "") for bar in panel.patches]


def of_clicks(count: int) -> Looks:
    cells = tuple(f"cell {n}" for n in range(count))
    frame = pd.DataFrame({"cell": cells, "base": "test", "clicks": 0, "metric": "J", "mean": 0.5})
    frame = frame.assign(low=0.4, high=0.6)
    panel = Figure().subplots()
    numbers = clicks.ClickCurves(cells, (("test", "J"),), frame, {"J": MetricScale()})
    clicks.draw(numbers, [panel])
    dots = [line for line in panel.lines if line.get_marker() in style.MARKERS]
    return [(to_hex(line.get_color()), str(line.get_marker())) for line in dots]


def of_robustness(count: int) -> Looks:
    axis = Axis("Gain", "gain", "gain (dB)", " dB", (0.0, 9.0), 0.0)
    frame = pd.DataFrame({"cell": [f"cell {n}" for n in range(count)], "corruption": "Gain"})
    frame = frame.assign(strength=9.0, metric="J", mean=0.5, change=0.1)
    frame = frame.assign(change_low=0.0, change_high=0.2)
    panels = [Figure().subplots()]
    robustness.draw(MeasuredRobustness(MeasuredRuns(), frame, (axis,), ()), axis, panels)
    return lines(panels[0])


def of_classes(count: int) -> Looks:
    keys = embedding_tsne.keys("class", [f"class {n}" for n in range(count)])
    pairs = [key for key in keys.values() if isinstance(key, tuple)]
    for audio, pixels in pairs:
        assert audio.get_color() == pixels.get_color() and audio.get_marker() != pixels.get_marker()
    return [(str(audio.get_color()), str(audio.get_marker())) for audio, _ in pairs]


def of_page(count: int) -> Looks:
    chart = charts.Chart(
        "t", curves.LOSS, {f"seed {n}": ((1, 2), (1.0, 2.0)) for n in range(count)}
    )
    found = re.findall(r"stroke: (#\w+|currentColor); stroke-width: 1.6", charts.draw(chart, "k"))
    drawn = dict.fromkeys(colour.replace("currentColor", "#000000") for colour in found)
    return [(colour, "") for colour in drawn]


def of_parts(count: int) -> Looks:
    looks = step_parts._looks(pd.DataFrame({"part": [f"part {n}" for n in range(count)]}))
    return [(to_hex(colour), hatch) for colour, hatch in looks.values()]


FIGURES: dict[str, tuple[Callable[[int], Looks], int]] = {
    "dilution_curves": (of_dilution, 40),
    "training_curves": (of_training, curves.MOST_TOGETHER),
    "efficiency": (of_efficiency, 40),
    "clicks": (of_clicks, 40),
    "robustness": (of_robustness, 40),
    "grid_points": (of_grid, len(style.PALETTE)),
    "embedding_tsne": (of_classes, 10),
    "step_parts": (of_parts, 3 * len(style.PALETTE)),
    "charts": (of_page, len(style.PALETTE)),
}
"""Module -> the looks that it draws so many arms with."""


@pytest.mark.parametrize("name", FIGURES)
def test_no_two_arms_look_alike_and_none_is_pale(name: str) -> None:
    draw, count = FIGURES[name]
    looks = draw(count)
    assert len(looks) == len({*looks}) == count
    assert min(contrast(colour) for colour, _ in looks) >= 3


def sources() -> Iterator[Path]:
    for package in (analysis.figures, charts):
        folder = Path(str(package.__file__)).parent
        yield from folder.glob("*.py")


def test_every_figure_that_draws_arms_is_among_these() -> None:
    named = re.compile(r"style\.(look|PALETTE)\b")
    found = {path.stem for path in sources() if named.search(path.read_text())}
    assert found == {*FIGURES}


def test_the_first_colours_are_told_apart_with_any_colour_vision() -> None:
    # Machado, Oliveira & Fernandes 2009: deuteranopia and protanopia, on linear colours.
    blind = (
        [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
        [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    )
    for matrix in blind:
        seen = [
            np.clip(matrix @ np.array(to_rgb(c)) ** 2.2, 0, 1) ** (1 / 2.2)
            for c in style.PALETTE[:5]
        ]
        for one, other in itertools.combinations(seen, 2):
            assert np.abs(one - other).max() > 0.1


def test_the_style_ends_with_its_block() -> None:
    before = matplotlib.rcParams["font.size"]
    with style.paper_style():
        assert matplotlib.rcParams["font.serif"] == ["STIXGeneral"]
        assert matplotlib.rcParams["pdf.fonttype"] == 42
        for key in ("font.size", "axes.labelsize", "xtick.labelsize", "legend.fontsize"):
            assert matplotlib.rcParams[key] >= style.SMALLEST_PT
    assert matplotlib.rcParams["font.size"] == before


def test_importing_it_picks_no_backend() -> None:
    program = (
        "import matplotlib\nbefore = dict.__getitem__(matplotlib.rcParams, 'backend')\n"
        "import analysis.figures.style\n"
        "print(dict.__getitem__(matplotlib.rcParams, 'backend') == before)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "True", done.stderr


def test_the_same_numbers_give_the_same_files(tmp_path: Path) -> None:
    numbers = pd.DataFrame({"x": [1, 2]})
    written = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        with style.paper_style():
            figure = style.new_figure("column", 1)
            figure.subplots().plot(numbers["x"])
            paths = style.save(figure, numbers, folder, "line")
        assert [path.name for path in paths] == ["line.pdf", "line.png", "line.csv"]
        written.append([path.read_bytes() for path in paths])
    assert written[0] == written[1]
