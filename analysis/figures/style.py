"""One look for all figures: sizes, fonts and colours of a paper page."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import matplotlib
import numpy as np
import pandas as pd
from matplotlib import rcsetup
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox
from numpy.typing import NDArray
from tueplots import axes, bundles

from analysis.figures.figure_text import code_point, room, settle, wrap_name
from auralsam2.text_files import write_text

# Inches of a two-column page.
WIDTHS = {"column": 3.25, "page": 6.75}
BLUE, RED, GREEN, PURPLE, GREY = "#4477AA", "#EE6677", "#228833", "#AA3377", "#BBBBBB"
# Of a contrast of 3 at least on white, the first ones Tol's, told apart with any colour vision, the
# others together with their markers. One more colour than markers: both come round late.
PALETTE = (BLUE, RED, GREEN, PURPLE, "#B8860B", "#00A0A0", "#000000", "#994F00", "#7048E8")
MARKERS = "osD^vPX*"
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))
PNG_DPI = 200
SMALLEST_PT = 7
_ROUNDING_INCHES = 0.02
# Of a legend, in sizes of its letters: a letter, a line, what a column has beside its names.
_LETTER, _LINE, _HANDLE = 0.5, 1.4, 4.5
NOTE_KEY = "Description"
"""Under this, a PNG says what a reader of the figure must know."""


class Look(NamedTuple):
    """How an arm is drawn in every figure."""

    colour: str
    marker: str
    line: Any


def look(index: int) -> Look:
    """Return the look of an arm: no two of the first 72 share colour and marker."""
    return Look(
        PALETTE[index % len(PALETTE)], MARKERS[index % len(MARKERS)], LINES[index % len(LINES)]
    )


def line_with_band(
    panel: Axes, rows: pd.DataFrame, x: str, *, opacity: float = 0.17, **line: Any
) -> None:
    """Draw ``mean`` over column ``x``; a band of its colour from ``low`` to ``high``, if any."""
    panel.plot(rows[x], rows["mean"], **line)
    if "low" in rows:
        band = {"color": line["color"], "alpha": opacity, "linewidth": 0}
        panel.fill_between(rows[x], rows["low"], rows["high"], **band)


def light_grid(panel: Axes, axis: Literal["both", "x", "y"] = "both") -> None:
    """Draw pale lines below all that is shown."""
    panel.grid(True, axis=axis, linewidth=0.4, color="0.88")
    panel.set_axisbelow(True)


def round_ticks(most: int, *, integer: bool = False) -> MaxNLocator:
    """Return a place for at most so many intervals between numbers that are read at a glance."""
    return MaxNLocator(most, steps=(1, 2, 2.5, 5, 10), integer=integer)


def slant_labels(panel: Axes, degrees: int) -> None:
    """Turn the names below a panel so that each ends at its tick."""
    panel.tick_params(axis="x", labelrotation=degrees)
    for label in panel.get_xticklabels():
        label.set(ha="right", rotation_mode="anchor")


def dot(marker: str, colour: str, size: float = 4, *, hollow: bool = False) -> Line2D:
    """Return a legend's handle of points."""
    face = "none" if hollow else colour
    look: dict[str, Any] = {"marker": marker, "markersize": size, "color": colour}
    return Line2D([], [], linestyle="none", markerfacecolor=face, **look)


def written_matrix(
    panel: Axes, values: NDArray[Any], texts: NDArray[Any], *, dark: float = np.inf, **image: Any
) -> AxesImage:
    """Show numbers (R, C) as colours with a text on each, white on those further from 0 than dark.

    ``image`` are arguments of `matplotlib.axes.Axes.imshow`.
    """
    look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": SMALLEST_PT}
    for (row, column), text in np.ndenumerate(texts):
        if text:
            colour = "white" if abs(values[row, column]) > dark else "black"
            panel.text(column, row, text, color=colour, **look)
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)
    return panel.imshow(values, aspect="auto", **image)


def front_line(
    panel: Axes, costs: pd.Series, scores: pd.Series, larger_is_better: bool, **line: Any
) -> None:
    """Join a Pareto front, costs ascending: between two points the worse score can be had."""
    where: Literal["pre", "post"] = "pre" if larger_is_better else "post"
    panel.step(costs, scores, where=where, linewidth=0.8, **line)


def legend_above(
    figure: Figure, handles: Sequence[Artist], names: Sequence[str], **options: Any
) -> None:
    """Write what lines and colours mean above the panels, in as many columns as fit.

    The figure, which has a layout engine, grows by the lines of the legend behind the first; names
    that are wider than it are broken. ``options`` are those of `matplotlib.legend.Legend`.
    """
    width, height = figure.get_size_inches()
    size = matplotlib.rcParams["legend.fontsize"] / 72
    letter, handle = _LETTER * size, _HANDLE * size
    shown = [wrap_name(name, int((width - handle) / letter)) for name in names]
    rooms = [max(map(room, name.split("\n"))) for name in shown]

    def inches(ncols: int) -> float:
        """Width of a legend of so many columns, each as wide as its longest name."""
        widest = [column.max() for column in np.array_split(rooms, ncols)]
        return float(letter * sum(widest) + handle * ncols)

    ncols = max((n for n in range(1, len(shown) + 1) if inches(n) <= width), default=1)
    columns = np.array_split([name.count("\n") + 1 for name in shown], ncols)
    num_lines = max(int(column.sum()) for column in columns)
    figure.set_figheight(height + _LINE * size * (num_lines - 1))
    figure.legend(handles, shown, loc="outside upper center", ncols=ncols, **options)


@contextmanager
def paper_style() -> Iterator[None]:
    """Draw for a paper: no window system, one serif face that matplotlib brings, text as text."""
    matplotlib.use("Agg")
    bundle = bundles.cvpr2024(usetex=False)
    del bundle["figure.figsize"]  # `new_figure` decides
    sizes = {key: max(SMALLEST_PT, bundle[key]) for key in bundle if key.endswith("size")}
    own: dict[Any, Any] = {
        **bundle,
        **axes.lines(),
        **sizes,
        # The bundle's faces depend on the machine; these are matplotlib's own.
        "font.serif": ["STIXGeneral"],
        "mathtext.fontset": "stix",
        # Names of cells and clips are no maths; labels that are say so themselves.
        "text.parse_math": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": rcsetup.cycler(color=PALETTE),
        "legend.frameon": False,
        "pdf.fonttype": 42,  # journals refuse type 3
        "savefig.facecolor": "white",
    }
    with matplotlib.rc_context(own):
        yield


def new_figure(width: str, height: float) -> Figure:
    """Return an empty figure as wide as a ``"column"`` or ``"page"``, its height in inches."""
    return Figure(figsize=(WIDTHS[width], height), layout="constrained")


@contextmanager
def paper_panels(
    width: str, height: float, rows: int = 1, columns: int = 1, **how: Any
) -> Iterator[tuple[Figure, NDArray[Any]]]:
    """Draw for a paper: yield a figure of `new_figure` and its panels (rows, columns).

    ``how`` are further arguments of `matplotlib.figure.Figure.subplots`.
    """
    with paper_style():
        figure = new_figure(width, height)
        yield figure, figure.subplots(rows, columns, squeeze=False, **how)


def panel_at(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add a panel whose place is in inches, from the left and the top of a figure."""
    across, down = figure.get_size_inches()
    return figure.add_axes(
        (left / across, 1 - (top + height) / down, width / across, height / down)
    )


def save(figure: Figure, numbers: pd.DataFrame, folder: Path, name: str) -> list[Path]:
    """Write a figure as PDF and PNG, and what it shows as CSV.

    A letter that no installed font has is written as its code point, which a warning and the
    PNG's text `NOTE_KEY` say; the CSV has it as it is.

    Returns:
        The three paths.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.{kind}" for kind in ("pdf", "png", "csv")]
    said: dict[str, str] = {}
    if missing := settle(figure):
        shown = ", ".join(f"{letter} {code_point(letter)}" for letter in missing)
        said = {NOTE_KEY: f"written as code points, since no installed font has them: {shown}"}
        warnings.warn(f"figure {name}: {said[NOTE_KEY]}", stacklevel=2)
    page = _whole(figure)
    # Without a date, the same numbers give the same file.
    figure.savefig(paths[0], metadata={"CreationDate": None}, bbox_inches=page)
    figure.savefig(paths[1], dpi=PNG_DPI, metadata=said, bbox_inches=page)
    write_text(paths[2], numbers.to_csv(index=False))
    return paths


def _whole(figure: Figure) -> Bbox | None:
    """Return a page that holds all of a figure, in inches; None where its own does.

    A name that is longer than any layout has room for would be cut off.
    """
    figure.draw_without_rendering()
    own = figure.bbox_inches
    page = Bbox.union([own, figure.get_tightbbox()])
    beyond = max(page.width - own.width, page.height - own.height)
    return page if beyond > _ROUNDING_INCHES else None
