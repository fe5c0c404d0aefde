"""t-SNE of the audio-visual space: runs side by side, the companions in numbers below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.legend_handler import HandlerTuple
from matplotlib.markers import MarkerStyle
from numpy.random import default_rng

from analysis.embeddings.companions import COMPANIONS, companions
from analysis.embeddings.plane import Plane, Wanted, place_all
from analysis.embeddings.points import SEVERAL, UNKNOWN, Points
from analysis.figures import style
from analysis.figures.figure_text import legend_name, wrap_name
from analysis.tables.contrast_rows import rounded
from auralsam2.text_files import write_text

NAME = "embedding_tsne"
PERPLEXITIES_NAME = f"{NAME}_perplexities"
PERPLEXITIES = (15, 30, 60)
COLOURINGS = ("modality", "class", "sounding")
MOST_ARMS = 6
_PANEL_INCHES, _LINE_INCHES, _CHARACTER_INCHES = 1.5, 0.115, 0.055
_LINE_CHARACTERS = 26
KINDS = {"background": "0.6", "foreground": style.BLUE, "audio": style.RED}
"""Colours, from the lowest layer to the highest."""
_MARKERS = {"background": "..", "foreground": "ox", "audio": "^v"}
"""Of the first classes, and of those whose colour is another one's, too."""
_SIZES = {"background": 4.0, "foreground": 5.0, "audio": 9.0}
# Told apart with any colour vision, and in grey.
_SOUNDING = {True: "#004488", False: "#B8860B"}
_NO_CLASS = "0.85"
_HUES = 5
_MOST_CLASSES = 2 * _HUES
_LINES = {**COMPANIONS, "trustworthiness": "trustworthiness of the plane"}

Keys = dict[str, Any]
"""Name -> handle of a legend: a line without a line, or several."""
_PAIRS: dict[Any, Any] = {tuple: HandlerTuple(ndivide=None, pad=0.2)}
"""A class has two handles, of audio and of pixels, which stand side by side."""


class Arm(NamedTuple):
    """One run's points."""

    name: str  # of the arm
    level: int  # of its pyramid, 0 the finest
    planes: tuple[Plane, ...]  # of `EmbeddingTSNE.perplexities`, in their order
    numbers: Mapping[str, float]  # companions on the original vectors of all points
    note: str = ""  # what a reader must know of the run, e.g. its seed; may be empty


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
        """Classes with a look of their own: at most ten, those of the most points."""
        held = pd.concat([arm.planes[0].points["category"] for arm in self.arms])
        counts = held[~held.isin([SEVERAL, UNKNOWN])].value_counts()
        return sorted(map(str, counts.index[:_MOST_CLASSES]))


def collect(
    runs: Mapping[str, Points],
    *,
    space: str = "projected",
    level: int = -1,
    perplexities: Sequence[float] = PERPLEXITIES,
    notes: Mapping[str, str] | None = None,
) -> EmbeddingTSNE:
    """Embed every arm's points in the plane.

    Args:
        runs: arm -> points, each with the space and the level, which can be placed.
        space: ``"fused"`` or ``"projected"``.
        level: of the pyramid, -1 the coarsest.
        perplexities: of t-SNE.
        notes: arm -> what stands below its name.
    """
    levels = {name: range(points.num_levels)[level] for name, points in runs.items()}
    held = {name: runs[name].select(space, own) for name, own in levels.items()}
    wanted = [Wanted(*own, p) for own in held.values() for p in perplexities]
    planes = iter(place_all(wanted))
    arms = []
    for name, own in held.items():
        placed = tuple(next(planes) for _ in perplexities)
        numbers, note = companions(*own), (notes or {}).get(name, "")
        arms.append(Arm(name, levels[name], placed, numbers, note))
    return EmbeddingTSNE(tuple(arms), space, tuple(perplexities))


def to_frame(numbers: EmbeddingTSNE) -> pd.DataFrame:
    """Return the companions and the picture's trustworthiness, a row an arm."""
    return pd.DataFrame(
        _row(numbers, arm, arm.planes[numbers.main], arm.numbers) for arm in numbers.arms
    )


def perplexities_to_frame(numbers: EmbeddingTSNE) -> pd.DataFrame:
    """Return the trustworthiness of every picture, a row an arm and perplexity."""
    return pd.DataFrame(
        _row(numbers, arm, plane, {}) for arm in numbers.arms for plane in arm.planes
    )


def _row(
    numbers: EmbeddingTSNE, arm: Arm, plane: Plane, companions: Mapping[str, float]
) -> dict[str, object]:
    """Return what the CSV says of one picture."""
    return {
        "arm": arm.name,
        "note": arm.note,
        "space": numbers.space,
        "level": arm.level,
        "perplexity": plane.perplexity,
        "num_points": len(plane.points),
        **companions,
        "trustworthiness": plane.trustworthiness,
    }


def draw(plane: Plane, panel: Axes, colouring: str, classes: Sequence[str]) -> None:
    """Draw one arm in one of `COLOURINGS`.

    Markers tell the modality; hollow ones are the audio of silent frames, where there is nothing
    to be matched. Audio lies above pixels, what has a class above what has none, and within these
    layers no class above another: they are shuffled, always alike.
    """
    points = plane.points.sample(frac=1, random_state=default_rng(0))
    layer = points["kind"].map(list(KINDS).index) + 0.5 * points["category"].isin(classes)
    points = points.loc[layer.sort_values(kind="stable").index]
    kinds = list(map(str, points["kind"]))
    sounding = points["sounding"].to_numpy(dtype=bool)
    looks = [
        _look(colouring, kind, str(category), sounds, classes)
        for kind, category, sounds in zip(kinds, points["category"], sounding, strict=True)
    ]
    edges = [to_rgba(colour, 0.7) for colour, _ in looks]
    hollow = np.array([kind == "audio" for kind in kinds]) & ~sounding
    drawn = panel.scatter(
        points["x"],
        points["y"],
        s=[_SIZES[kind] for kind in kinds],
        facecolors=[to_rgba("w", 0.0) if h else e for h, e in zip(hollow, edges, strict=True)],
        edgecolors=edges,
        linewidths=[0.0 if kind == "background" else 0.7 for kind in kinds],
        rasterized=True,
    )
    # One collection, so that markers lie on each other in the order of the points.
    shapes = [MarkerStyle(marker) for _, marker in looks]
    drawn.set_paths([shape.get_path().transformed(shape.get_transform()) for shape in shapes])
    panel.set(xticks=[], yticks=[])
    panel.spines[:].set_visible(True)
    panel.spines[:].set_color("0.8")


def make(numbers: EmbeddingTSNE, folder: Path, *, name: str = NAME) -> list[Path]:
    """Write ``NAME.{pdf,png,csv}`` of one arm at least, and the points' places, ``.points.csv``."""
    heights = [_PANEL_INCHES] * len(COLOURINGS) + [_LINE_INCHES * len(_LINES)]
    shape = sum(heights) + 0.65, len(heights), len(numbers.arms)
    with style.paper_panels("page", *shape, height_ratios=heights) as (figure, grid):
        for arm, panels in zip(numbers.arms, grid.T, strict=True):
            plane = arm.planes[numbers.main]
            for colouring, panel in zip(COLOURINGS, panels[:-1], strict=True):
                draw(plane, panel, colouring, numbers.classes)
            _set_title(panels[0], arm, len(numbers.arms))
            _write_numbers(arm, plane, panels[-1])
        for colouring, panel in zip(COLOURINGS, grid[:-1, 0], strict=True):
            _add_keys(panel, colouring, numbers)
        names = grid[-1, 0]
        names.set_yticks([row + 0.5 for row in range(len(_LINES))], list(_LINES.values()))
        names.tick_params(axis="y", length=0, labelsize=style.SMALLEST_PT)
        paths = style.save(figure, to_frame(numbers), folder, name)
    placed = pd.concat(
        [arm.planes[numbers.main].points.assign(arm=arm.name) for arm in numbers.arms]
    )
    text = placed.to_csv(index=False, float_format="%.4f")
    return [*paths, write_text(folder / f"{name}.points.csv", text)]


def make_perplexities(numbers: EmbeddingTSNE, folder: Path) -> list[Path]:
    """Write ``embedding_tsne_perplexities.*`` of one arm at least: perplexities by arms."""
    columns, rows = len(numbers.arms), len(numbers.perplexities)
    with style.paper_panels("page", rows * 1.7 + 0.95, rows, columns) as (figure, grid):
        for arm, panels in zip(numbers.arms, grid.T, strict=True):
            _set_title(panels[0], arm, columns)
            for plane, panel in zip(arm.planes, panels, strict=True):
                draw(plane, panel, "class", numbers.classes)
                shown = f"trustworthiness {plane.trustworthiness:.3f}"
                panel.set_xlabel(shown, fontsize=style.SMALLEST_PT)
        for perplexity, panel in zip(numbers.perplexities, grid[:, 0], strict=True):
            panel.set_ylabel(f"perplexity {perplexity:g}")
        found = _modalities(dict.fromkeys(KINDS, "0.3")) | keys("class", numbers.classes)
        figure.legend(
            list(found.values()),
            list(found),
            loc="outside upper center",
            ncols=4,
            fontsize=style.SMALLEST_PT,
            handler_map=_PAIRS,
        )
        return style.save(figure, perplexities_to_frame(numbers), folder, PERPLEXITIES_NAME)


def keys(colouring: str, classes: Sequence[str]) -> Keys:
    """Return what the looks of a colouring mean."""
    if colouring == "modality":
        return _modalities(KINDS)
    if colouring == "sounding":
        names = {True: "sounding frame", False: "silent frame"}
        return {names[sounds]: style.dot("s", colour) for sounds, colour in _SOUNDING.items()}
    found: Keys = {}
    for category in classes:
        pair = [_look("class", kind, category, True, classes) for kind in ("audio", "foreground")]
        name = legend_name(wrap_name(category, _LINE_CHARACTERS))
        found[name] = tuple(style.dot(marker, colour) for colour, marker in pair)
    return found | {"none, several, another": style.dot("s", _NO_CLASS)}


def _look(
    colouring: str, kind: str, category: str, sounds: bool, classes: Sequence[str]
) -> tuple[str, str]:
    """Return the colour and the marker of a point."""
    first = _MARKERS[kind][0]
    if colouring == "modality":
        return KINDS[kind], first
    if colouring == "sounding":
        return _SOUNDING[sounds], first
    if kind == "background" or category not in classes:
        return _NO_CLASS, first
    second, hue = divmod(classes.index(category), _HUES)
    return style.PALETTE[hue], _MARKERS[kind][second]


def _modalities(colours: Mapping[str, str]) -> Keys:
    """Return what the markers mean, in a colour for each kind."""
    kinds = ("audio", "foreground", "background")
    found: Keys = {kind: style.dot(_MARKERS[kind][0], colours[kind]) for kind in kinds}
    return found | {"audio, silent frame": style.dot("^", colours["audio"], hollow=True)}


def _set_title(panel: Axes, arm: Arm, columns: int) -> None:
    """Write an arm's name and note above its panel, in as many lines as the width asks for."""
    width = int(style.WIDTHS["page"] * 0.75 / columns / _CHARACTER_INCHES)
    lines = [wrap_name(text, width) for text in (arm.name, arm.note) if text]
    panel.set_title("\n".join(lines), fontsize=style.SMALLEST_PT + 1, linespacing=1.05)


def _write_numbers(arm: Arm, plane: Plane, panel: Axes) -> None:
    panel.set(xlim=(0, 1), ylim=(len(_LINES), 0), xticks=[], yticks=[])
    panel.spines[:].set_visible(False)
    for row, key in enumerate(_LINES):
        value = {**arm.numbers, "trustworthiness": plane.trustworthiness}[key]
        shown = "–" if np.isnan(value) else rounded(value, 3)
        panel.text(0.5, row + 0.5, shown, ha="center", va="center", fontsize=style.SMALLEST_PT)


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
        handler_map=_PAIRS,
    )
    legend.get_title().set_fontweight("bold")
