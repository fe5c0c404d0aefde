"""Lines over steps as an SVG element in the colours of the page that it stands in."""

from __future__ import annotations

import io
import re
import warnings
from typing import Any, NamedTuple

from analysis.figures import style
from analysis.figures.figure_text import legend_name, settle_text

_INK = "#010203"
"""Stands for the page's own text colour, whatever that is."""
_FACE = "DejaVu Sans"
_LINES = ("-", "--", ":", "-.")
_INKED = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
_SIZED = (
    "font.size",
    "axes.labelsize",
    "legend.fontsize",
    "xtick.labelsize",
    "ytick.labelsize",
)
_SIZE_PT = 10


class Curve(NamedTuple):
    """A line.

    Attributes:
        label: what it is.
        steps: x, ascending.
        values: y.
    """

    label: str
    steps: tuple[int, ...]
    values: tuple[float, ...]


class Chart(NamedTuple):
    """A drawing of lines.

    Attributes:
        title: in words.
        steps: what x counts.
        curves: the lines.
        log: whether y is logarithmic.
    """

    title: str
    steps: str
    curves: tuple[Curve, ...]
    log: bool = False


def draw(chart: Chart, key: str) -> str:
    """Return a chart as an SVG element in the colours of the page.

    Args:
        chart: the lines.
        key: of the chart within its page.
    """
    import matplotlib

    own: dict[Any, Any] = {
        **dict.fromkeys(_INKED, _INK),
        **dict.fromkeys(_SIZED, _SIZE_PT),
        # The face that matplotlib brings measures the text; `_as_element` names the page's.
        "font.family": _FACE,
        "svg.fonttype": "none",
        "svg.hashsalt": key,
    }
    with style.paper_style(), matplotlib.rc_context(own), warnings.catch_warnings():
        # The browser's faces have other letters than the one that measures here.
        warnings.filterwarnings("ignore", message="Glyph")
        return _as_element(_plot(chart), key)


def _plot(chart: Chart) -> Any:
    from matplotlib.figure import Figure
    from matplotlib.text import Text
    from matplotlib.ticker import LogLocator, MaxNLocator

    figure = Figure(figsize=(4.3, 2.6), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.subplots()
    axes.patch.set_alpha(0)
    for index, curve in enumerate(chart.curves):
        line = _LINES[index // len(style.PALETTE) % len(_LINES)]
        marker = "o" if len(curve.steps) < 16 else None
        axes.plot(
            curve.steps,
            curve.values,
            line,
            label=legend_name(curve.label),
            linewidth=1.6,
            marker=marker,
            markersize=3.5,
        )
    positive = all(value > 0 for curve in chart.curves for value in curve.values)
    if chart.log and positive:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
    axes.set_xlabel(chart.steps)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(True, linewidth=0.4, color="#888888", alpha=0.5)
    handles, labels = axes.get_legend_handles_labels()
    style.legend_above(figure, handles, labels, handlelength=1.4, columnspacing=1.0)
    for text in figure.findobj(Text):
        settle_text(text, own_faces=False)
    return figure


def _as_element(figure: Any, key: str) -> str:
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
    return text.replace(_INK, "currentColor")
