"""t-SNE of the audio-visual space: runs side by side, the companions in numbers below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D

from analysis.embeddings.companions import COMPANIONS, companions
from analysis.embeddings.plane import Plane, Wanted, place_all
from analysis.embeddings.points import SEVERAL, UNKNOWN, Points
from analysis.figures import style
from analysis.figures.figure_text import legend_name, wrap_name
from auralsam2.text_files import write_text

NAME = "embedding_tsne"
PERPLEXITIES = (15, 30, 60)
COLOURINGS = ("modality", "class", "sounding")
MOST_ARMS = 6
_PANEL_INCHES, _LINE_INCHES, _CHARACTER_INCHES = 1.5, 0.115, 0.055
_LINE_CHARACTERS = 26
_KINDS = {"audio": style.RED, "foreground": style.BLUE, "background": style.GREY}
_MARKERS = {"audio": "^", "foreground": "o", "background": "."}
# Told apart with any colour vision, and in grey: Tol's high contrast.
_SOUNDING = {True: "#004488", False: "#DDAA33"}
_NO_CLASS = "0.85"
# More classes than the style's seven colours come up; these are still told apart in print.
_PALETTE = (*style.PALETTE[:6], "#000000", "#882255", "#999933", "#44AA99")
_LINES = {**COMPANIONS, "trustworthiness": "trustworthiness of the plane"}


class Arm(NamedTuple):
    """One run's points.

    Attributes:
        name: of the arm.
        level: of its pyramid, 0 the finest.
        planes: of `EmbeddingTSNE.perplexities`, in their order.
        numbers: companions on the original vectors of all points.
        note: what a reader must know of the run, e.g. its seed; may be empty.
    """

    name: str
    level: int
    planes: tuple[Plane, ...]
    numbers: Mapping[str, float]
    note: str = ""


class EmbeddingTSNE(NamedTuple):
    """What the figures show: the arms, in one space."""

    arms: tuple[Arm, ...]
    space: str
    perplexities: tuple[float, ...]

    @property
    def main(self) -> int:
        """Index of the perplexity that is drawn large: the one in the middle."""
        return len(self.perplexities) // 2

    @property
    def classes(self) -> list[str]:
        """Classes with a colour of their own: at most ten, those of the most points."""
        held = pd.concat([arm.planes[0].points["category"] for arm in self.arms])
        counts = held[~held.isin([SEVERAL, UNKNOWN])].value_counts()
        return sorted(map(str, counts.index[: len(_PALETTE)]))


def collect(
    runs: Mapping[str, Points],
    *,
    space: str = "projected",
    level: int = -1,
    perplexities: Sequence[float] = PERPLEXITIES,
    seed: int = 0,
    notes: Mapping[str, str] | None = None,
) -> EmbeddingTSNE:
    """Embed every arm's points in the plane.

    Args:
        runs: arm -> points.
        space: ``"fused"`` or ``"projected"``; arms without the space are left out.
        level: of the pyramid, -1 the coarsest; arms without the level are left out.
        perplexities: of t-SNE.
        seed: of t-SNE, and of the choice of points where there are more than 300 of a kind.
        notes: arm -> what stands below its name.

    Raises:
        ValueError: where an arm's points cannot be placed.
    """
    levels, held = {}, {}
    for name, points in runs.items():
        if space in points.vectors and -points.num_levels <= level < points.num_levels:
            levels[name] = range(points.num_levels)[level]
            held[name] = points.select(space, levels[name])
    planes = iter(
        place_all([Wanted(*own, p) for own in held.values() for p in perplexities], seed=seed)
    )
    arms = [
        Arm(
            name,
            levels[name],
            tuple(next(planes) for _ in perplexities),
            companions(*own, seed=seed),
            (notes or {}).get(name, ""),
        )
        for name, own in held.items()
    ]
    return EmbeddingTSNE(tuple(arms), space, tuple(perplexities))


def to_frame(numbers: EmbeddingTSNE) -> pd.DataFrame:
    """Return the companions and the picture's trustworthiness, a row an arm."""
    rows = []
    for arm in numbers.arms:
        plane = arm.planes[numbers.main]
        row: dict[str, object] = {"arm": arm.name, "note": arm.note, "space": numbers.space}
        row |= {"level": arm.level, "perplexity": plane.perplexity}
        row |= {"num_points": len(plane.points), **arm.numbers}
        rows.append(row | {"trustworthiness": plane.trustworthiness})
    return pd.DataFrame(rows)


def draw(plane: Plane, panel: Axes, colouring: str, classes: Sequence[str]) -> None:
    """Draw one arm in one of `COLOURINGS`.

    Args:
        plane: of `collect`.
        panel: to draw in.
        colouring: what the colours tell; the markers always tell the modality, and hollow ones
            are the audio of silent frames, where there is nothing to be matched.
        classes: in the order of their colours.
    """
    for kind, marker in _MARKERS.items():
        own = plane.points[plane.points["kind"] == kind]
        # What has no colour of its own lies below what has.
        own = own.sort_values("category", key=lambda held: held.isin(classes), kind="stable")
        sounding = own["sounding"].to_numpy(dtype=bool)
        if colouring == "modality":
            colours = [_KINDS[kind]] * len(own)
        elif colouring == "sounding":
            colours = [_SOUNDING[bool(sounds)] for sounds in sounding]
        else:
            colours = [_class_colour(kind, str(c), classes) for c in own["category"]]
        edges = [to_rgba(colour, 0.8) for colour in colours]
        hollow = (kind == "audio") & ~sounding
        faces = [to_rgba("white", 0.0) if h else e for h, e in zip(hollow, edges, strict=True)]
        panel.scatter(
            own["x"],
            own["y"],
            s=9 if kind == "audio" else 4,
            marker=marker,
            facecolors=faces,
            edgecolors=edges,
            linewidths=0.5 if kind == "audio" else 0,
            rasterized=True,
            zorder={"audio": 3, "foreground": 2, "background": 1}[kind],
        )
    panel.set(xticks=[], yticks=[])
    panel.spines[:].set_visible(True)
    panel.spines[:].set_color("0.8")


def make(numbers: EmbeddingTSNE, folder: Path, *, name: str = NAME) -> list[Path]:
    """Write ``embedding_tsne.{pdf,png,csv}`` and the points' places, ``embedding_tsne.points.csv``.

    Args:
        numbers: of `collect`, with one arm at least.
        folder: to write to.
        name: of the files.
    """
    columns = len(numbers.arms)
    heights = [_PANEL_INCHES] * len(COLOURINGS) + [_LINE_INCHES * len(_LINES)]
    with style.paper_style():
        figure = style.new_figure("page", sum(heights) + 0.65)
        grid = figure.subplots(
            len(heights), columns, squeeze=False, gridspec_kw={"height_ratios": heights}
        )
        for arm, panels in zip(numbers.arms, grid.T, strict=True):
            plane = arm.planes[numbers.main]
            for colouring, panel in zip(COLOURINGS, panels[:-1], strict=True):
                draw(plane, panel, colouring, numbers.classes)
            set_title(panels[0], arm, columns)
            _write_numbers(arm, plane, panels[-1])
        for colouring, panel in zip(COLOURINGS, grid[:-1, 0], strict=True):
            _add_keys(panel, colouring, numbers)
        _name_numbers(grid[-1, 0])
        paths = style.save(figure, to_frame(numbers), folder, name)
    placed = pd.concat(
        [arm.planes[numbers.main].points.assign(arm=arm.name) for arm in numbers.arms]
    )
    text = placed.to_csv(index=False, float_format="%.4f")
    return [*paths, write_text(folder / f"{name}.points.csv", text)]


def set_title(panel: Axes, arm: Arm, columns: int) -> None:
    """Write an arm's name and note above its panel, in as many lines as the width asks for."""
    width = int(style.WIDTHS["page"] * 0.75 / columns / _CHARACTER_INCHES)
    lines = [wrap_name(text, width) for text in (arm.name, arm.note) if text]
    panel.set_title("\n".join(lines), fontsize=style.SMALLEST_PT + 1, linespacing=1.05)


def keys(colouring: str, classes: Sequence[str]) -> dict[str, Line2D]:
    """Return what the colours of a colouring mean: name -> handle of a legend."""
    if colouring == "modality":
        found = {kind: _dot(_MARKERS[kind], colour) for kind, colour in _KINDS.items()}
        return found | {"audio, silent frame": _dot("^", _KINDS["audio"], hollow=True)}
    if colouring == "sounding":
        names = {True: "sounding frame", False: "silent frame"}
        return {names[sounds]: _dot("s", colour) for sounds, colour in _SOUNDING.items()}
    shown = {
        legend_name(wrap_name(c, _LINE_CHARACTERS)): _dot("s", _class_colour("audio", c, classes))
        for c in classes
    }
    return shown | {"none, several, another": _dot("s", _NO_CLASS)}


def _dot(marker: str, colour: str, *, hollow: bool = False) -> Line2D:
    face = "none" if hollow else colour
    return Line2D(
        [], [], linestyle="none", marker=marker, color=colour, markersize=4, markerfacecolor=face
    )


def _class_colour(kind: str, category: str, classes: Sequence[str]) -> str:
    if kind == "background" or category not in classes:
        return _NO_CLASS
    return _PALETTE[classes.index(category) % len(_PALETTE)]


def _write_numbers(arm: Arm, plane: Plane, panel: Axes) -> None:
    panel.set(xlim=(0, 1), ylim=(len(_LINES), 0), xticks=[], yticks=[])
    panel.spines[:].set_visible(False)
    for row, key in enumerate(_LINES):
        value = {**arm.numbers, "trustworthiness": plane.trustworthiness}[key]
        shown = "–" if np.isnan(value) else f"{value:.3f}".replace("-", "−")
        panel.text(0.5, row + 0.5, shown, ha="center", va="center", fontsize=style.SMALLEST_PT)


def _name_numbers(panel: Axes) -> None:
    panel.set_yticks([row + 0.5 for row in range(len(_LINES))], list(_LINES.values()))
    panel.tick_params(axis="y", length=0, labelsize=style.SMALLEST_PT)


def _add_keys(panel: Axes, colouring: str, numbers: EmbeddingTSNE) -> None:
    """Put a row's keys left of it: one colour means different things in different rows."""
    found = keys(colouring, numbers.classes)
    legend = panel.legend(
        list(found.values()),
        list(found),
        title=f"by {colouring}",
        loc="upper right",
        bbox_to_anchor=(-0.02, 1.0),
        borderaxespad=0,
        handletextpad=0.1,
        labelspacing=0.15,
        fontsize=style.SMALLEST_PT,
        alignment="right",
        markerfirst=False,
    )
    legend.get_title().set_fontweight("bold")
