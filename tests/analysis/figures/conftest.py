"""Figures as they were drawn, in the place of files."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from matplotlib import font_manager
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from analysis.figures import figure_text

MATHS = ("$g_b$", "$E_b$", "$E[s, b]$")


class Drawn:
    """The figures that have been saved, as they were drawn."""

    def __init__(self) -> None:
        self.figures: dict[Figure, Bbox] = {}  # with the page of each

    def texts(self) -> Iterator[Text]:
        for figure in self.figures:
            yield from (t for t in figure.findobj(Text) if t.get_text() and t.get_visible())

    def check(self, *names: str) -> None:
        """Every name is shown, none as maths and none cut off."""
        assert self.figures
        for figure, page in self.figures.items():
            for text in lettering(figure):
                reach = text.get_window_extent().transformed(figure.dpi_scale_trans.inverted())
                around = page.padded(0.05)
                assert around.contains(*reach.min) and around.contains(*reach.max), text
        shown = [squash(text.get_text()) for text in self.texts()]
        missing = [n for n in names if not any(squash(written(n)) in text for text in shown)]
        assert not missing, shown
        for text in self.texts():
            rest = text.get_text()
            if text.get_parse_math():
                for maths in (*MATHS, r"\$"):
                    rest = rest.replace(maths, "")
                assert "$" not in rest, text
            assert "mathdefault" not in rest, text


def in_view(axis: Axis, place: float) -> bool:
    low, high = axis.get_view_interval()
    return bool(low <= place <= high)


def lettering(figure: Figure) -> Iterator[Text]:
    """All texts but labels of ticks that are not drawn."""
    ticks = {
        label
        for panel in figure.axes
        for axis in (panel.xaxis, panel.yaxis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        for label in (tick.label1, tick.label2)
        if not (panel.axison and panel.get_visible() and in_view(axis, tick.get_loc()))
    }
    shown = figure.findobj(lambda a: isinstance(a, Text) and a.get_visible() and a.get_text())
    yield from (text for text in shown if text not in ticks)


def squash(text: str) -> str:
    """Lines may break anywhere."""
    return re.sub(r"\s", "", text)


def written(name: str) -> str:
    """Code points where no font has the letters, as it is on a machine without others."""
    return "".join(
        figure_text.code_point(c) if c in "日本語\U0001f3b5\udcff\x1b" else c for c in name
    )


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[Drawn]:
    """Draws whatever is saved once, without files; a letter without a glyph is an error."""
    held = Drawn()

    def save(figure: Figure, path: Any, *, bbox_inches: Bbox | None = None, **_: Any) -> None:
        if str(path).endswith(".pdf"):
            held.figures[figure] = bbox_inches or figure.bbox_inches

    monkeypatch.setattr(Figure, "savefig", save)
    # What matplotlib brings, whatever else is installed here.
    brought = {"DejaVu Sans": font_manager.findfont("DejaVu Sans")}
    monkeypatch.setattr(figure_text, "_other_faces", lambda: brought)
    figure_text.family_with.cache_clear()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Glyph")
        warnings.filterwarnings("error", message=".*underscore")
        warnings.filterwarnings("ignore", message="figure .*: written as code points")
        warnings.filterwarnings("ignore", message="constrained_layout not applied")
        yield held
    figure_text.family_with.cache_clear()
