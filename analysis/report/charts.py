"""How the runs of a cell trained, as SVG elements in the colours of the page that they stand in."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis.figures import style
from analysis.figures.figure_text import legend_name, settle_text
from analysis.figures.training_curves import LOSS, SCORE, STEPS, finish, plot
from analysis.runs.training_log import TOTAL, loss_terms, read_log, score_names, series
from auralsam2.engine.run_record import RunRecord

_INK = "#010203"
"""Stands for the page's own text colour, whatever that is."""
_FACE = "DejaVu Sans"
_INKED = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
_SIZED = ("font.size", "axes.labelsize", "legend.fontsize", "xtick.labelsize", "ytick.labelsize")
_PAGE: dict[Any, Any] = {
    **dict.fromkeys(_INKED, _INK),
    **dict.fromkeys(_SIZED, 10),
    # The face that matplotlib brings measures the text; `_as_element` names the page's.
    "font.family": _FACE,
    "svg.fonttype": "none",
}


class Chart(NamedTuple):
    """Lines over steps."""

    title: str  # in words
    kind: str  # `LOSS` or `SCORE`
    # Label -> steps, ascending, and values.
    lines: Mapping[str, tuple[tuple[int, ...], tuple[float, ...]]]


def drawn(runs: Mapping[int, tuple[RunRecord, Path]]) -> list[tuple[str, str]]:
    """Return title and drawing of every chart of `collect`."""
    charts = enumerate(collect(runs))
    return [(chart.title, draw(chart, f"chart{index}")) for index, chart in charts]


def collect(runs: Mapping[int, tuple[RunRecord, Path]]) -> list[Chart]:
    """Return the charts of a cell that have something to show, from records and folders by seed."""
    logs = {f"seed {seed}": read_log(record, folder) for seed, (record, folder) in runs.items()}
    losses = {whose: series(log.training, TOTAL) for whose, log in logs.items()}
    charts = [Chart("Training loss", LOSS, losses)]
    for whose, log in list(logs.items())[:1]:
        names = loss_terms(log.training).items()
        terms = {short: series(log.training, name) for name, short in names}
        charts.append(Chart(f"Terms of the loss, {whose}", LOSS, terms if len(terms) > 1 else {}))
    for metric in dict.fromkeys(n for log in logs.values() for n in score_names(log.validation)):
        scores = {whose: series(log.validation, metric) for whose, log in logs.items()}
        charts.append(Chart(f"{metric} on validation clips", SCORE, scores))
    shown = [
        chart._replace(lines={label: line for label, line in chart.lines.items() if line[0]})
        for chart in charts
    ]
    return [chart for chart in shown if chart.lines]


def draw(chart: Chart, key: str) -> str:
    """Return a chart as an SVG element in the colours of the page, in which its key is unique."""
    own = {**_PAGE, "svg.hashsalt": key}
    with style.paper_style(), rc_context(own), warnings.catch_warnings():
        # The browser's faces have other letters than the one that measures here.
        warnings.filterwarnings("ignore", message="Glyph")
        figure = Figure(figsize=(4.3, 2.6), layout="constrained")
        panel = figure.subplots()
        figure.patch.set_alpha(0)
        panel.patch.set_alpha(0)
        for index, (label, (steps, values)) in enumerate(chart.lines.items()):
            rows = pd.DataFrame({"step": steps, "mean": values})
            look = style.look(index)
            line = {"color": look.colour, "linestyle": look.line, "label": legend_name(label)}
            plot(panel, rows, linewidth=1.6, markersize=3.5, **line)
        finish(panel, chart.kind)
        panel.grid(True, linewidth=0.4, color="#888888", alpha=0.5)
        panel.set_xlabel(STEPS[chart.kind])
        handles, labels = panel.get_legend_handles_labels()
        style.legend_above(figure, handles, labels, handlelength=1.8, columnspacing=1.0)
        for text in figure.findobj(Text):
            assert isinstance(text, Text)
            settle_text(text, own_faces=False)
        return _as_element(figure, key)


def _as_element(figure: Figure, key: str) -> str:
    """Return SVG for the body of a page: no prolog, own ids, the page's ink."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{key}-", text)
    text = re.sub(rf"'?{_FACE}'?", "system-ui, sans-serif", text)
    for size in ("width", "height"):  # the page's own; the proportions are in the view box
        text = re.sub(rf'(<svg[^>]*?) {size}="[^"]*"', r"\1", text, count=1)
    return re.sub(rf"{_INK}|#000000", "currentColor", text)
