"""One look for all figures: sizes, fonts and colours of a paper page."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
from matplotlib import rcsetup
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from tueplots import axes, bundles
from tueplots.constants.color import palettes

from analysis.figures.figure_text import code_point, settle
from auralsam2.text_files import write_text

# Inches of a two-column page.
WIDTHS = {"column": 3.25, "page": 6.75}
# Told apart with any colour vision.
PALETTE = tuple(f"#{colour}" for colour in palettes.paultol_bright)
BLUE, RED, GREEN, YELLOW, CYAN, PURPLE, GREY = PALETTE
PNG_DPI = 200
SMALLEST_PT = 7
_ROUNDING_INCHES = 0.02
NOTE_KEY = "Description"
"""Under this, a PNG says what a reader of the figure must know."""


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
    """Return an empty figure.

    Args:
        width: ``"column"`` or ``"page"``.
        height: in inches.
    """
    if width not in WIDTHS:
        raise ValueError(f"unknown width {width!r}; known: {', '.join(WIDTHS)}")
    return Figure(figsize=(WIDTHS[width], height), layout="constrained")


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
