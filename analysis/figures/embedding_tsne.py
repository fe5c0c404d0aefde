"""t-SNE of the audio-visual space: runs side by side, the companions in numbers below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from sklearn.manifold import TSNE, trustworthiness

from analysis.embeddings import SEVERAL, UNKNOWN, Points, companions
from analysis.figures import style

NAME = "embedding_tsne"
PERPLEXITIES = (15, 30, 60)
COLOURINGS = ("modality", "class")
_MOST_POINTS = 1500
_CHARACTER_INCHES, _KEY_INCHES = 0.055, 0.42
_KINDS = {"audio": style.RED, "foreground": style.BLUE, "background": style.GREY}
_MARKERS = {"audio": "^", "foreground": "o", "background": "."}
_SHOWN = {
    "auroc": "audio→pixel AUROC",
    "silhouette": "silhouette",
    "purity": "kNN purity",
    "cross_modal_purity": "… audio→pixel",
    "chance_purity": "… by chance",
    "alignment": "alignment",
    "uniformity": "uniformity",
    "modality_gap": "modality gap",
    "trustworthiness": "trustworthiness",
}


class Arm(NamedTuple):
    """One run's points in the plane.

    Attributes:
        name: of the arm.
        points: columns x, y, kind, category, sounding.
        numbers: companions on the original vectors, and the picture's trustworthiness.
    """

    name: str
    points: pd.DataFrame
    numbers: dict[str, float]


class EmbeddingTSNE(NamedTuple):
    """What the figure shows: the arms, in one space, at one level and perplexity."""

    arms: tuple[Arm, ...]
    space: str
    level: int
    perplexity: float


def collect(
    runs: Mapping[str, Points],
    *,
    space: str = "projected",
    level: int = -1,
    perplexity: float = 30,
    seed: int = 0,
) -> EmbeddingTSNE:
    """Embed every arm's points in the plane.

    Args:
        runs: arm -> points.
        space: ``"fused"`` or ``"projected"``; arms without the space are left out.
        level: of the pyramid, -1 the coarsest.
        perplexity: of t-SNE.
        seed: of t-SNE, and of the points where there are more than 1500.
    """
    arms = []
    for name, points in runs.items():
        if space not in points.vectors:
            continue
        wanted = range(int(points.table["level"].max()) + 1)[level]
        rows, vectors = points.select(space, wanted)
        numbers = companions(rows, vectors, seed=seed)
        kept = np.arange(len(rows))
        if len(kept) > _MOST_POINTS:
            generator = np.random.default_rng(seed)
            kept = np.sort(generator.choice(kept, _MOST_POINTS, replace=False))
        shown, own = rows.loc[kept].reset_index(drop=True), vectors[kept].astype(float)
        plane = TSNE(
            init="pca",
            perplexity=min(perplexity, (len(own) - 1) / 3),
            metric="cosine",
            random_state=seed,
        ).fit_transform(own)
        numbers["trustworthiness"] = float(trustworthiness(own, plane, metric="cosine"))
        placed = shown[["kind", "category", "sounding"]].assign(x=plane[:, 0], y=plane[:, 1])
        arms.append(Arm(name, placed, numbers))
    return EmbeddingTSNE(tuple(arms), space, level, perplexity)


def to_frame(numbers: EmbeddingTSNE) -> pd.DataFrame:
    """Return the companions, a row an arm."""
    return pd.DataFrame(
        [
            {"arm": arm.name, "space": numbers.space, "level": numbers.level}
            | {"perplexity": numbers.perplexity, "num_points": len(arm.points)}
            | arm.numbers
            for arm in numbers.arms
        ]
    )


def draw(arm: Arm, panels: Sequence[Axes], classes: Sequence[str]) -> None:
    """Draw one arm, once for each colouring.

    Args:
        arm: of `collect`.
        panels: as many as `COLOURINGS`.
        classes: in the order of their colours.
    """
    for colouring, panel in zip(COLOURINGS, panels, strict=True):
        for kind, marker in _MARKERS.items():
            own = arm.points[arm.points["kind"] == kind]
            if colouring == "modality":
                colours = [_KINDS[kind]] * len(own)
            else:
                colours = [
                    _class_colour(k, c, classes) for k, c in own[["kind", "category"]].values
                ]
            edges = [to_rgba(colour, 0.8) for colour in colours]
            # A silent frame's audio is hollow: nothing is to be matched there.
            hollow = (kind == "audio") & ~own["sounding"].to_numpy(dtype=bool)
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


def make(
    runs: Mapping[str, Points],
    folder: Path,
    *,
    space: str = "projected",
    level: int = -1,
    perplexity: float = 30,
    seed: int = 0,
    name: str = NAME,
) -> list[Path]:
    """Write ``embedding_tsne.pdf``, ``.png`` and ``.csv``; nothing where no arm has the space."""
    numbers = collect(runs, space=space, level=level, perplexity=perplexity, seed=seed)
    if not numbers.arms:
        return []
    classes = _classes(numbers)
    columns = len(numbers.arms)
    with style.paper_style():
        legend_rows = -(-(4 + len(classes)) // 4)
        height = 0.3 + 0.14 * legend_rows + 2 * min(2.1, 6.4 / columns) + 1.15
        figure = style.new_figure("page", height)
        grid = figure.subplots(
            3, columns, squeeze=False, gridspec_kw={"height_ratios": [1, 1, 0.52]}
        )
        for arm, panels in zip(numbers.arms, grid.T, strict=True):
            draw(arm, panels[:2], classes)
            panels[0].set_title(arm.name)
            _write_numbers(arm, panels[2])
        for colouring, panel in zip(COLOURINGS, grid[:2, 0], strict=True):
            panel.set_ylabel(f"by {colouring}")
        _add_legend(figure, classes)
        return style.save(figure, to_frame(numbers), folder, name)


def _classes(numbers: EmbeddingTSNE) -> list[str]:
    found = sorted({str(c) for arm in numbers.arms for c in arm.points["category"]})
    return [c for c in found if c not in (SEVERAL, UNKNOWN)]


def _class_colour(kind: str, category: str, classes: Sequence[str]) -> str:
    if kind == "background" or category not in classes:
        return "0.85"
    return _PALETTE[classes.index(category) % len(_PALETTE)]


# More classes than the style's seven colours come up; these are still told apart in print.
_PALETTE = (*style.PALETTE[:6], "#000000", "#882255", "#999933", "#44AA99")


def _write_numbers(arm: Arm, panel: Axes) -> None:
    panel.set_axis_off()
    lines = [(text, arm.numbers[key]) for key, text in _SHOWN.items() if key in arm.numbers]
    for row, (text, value) in enumerate(lines):
        y = 1 - (row + 0.5) / len(_SHOWN)
        panel.text(0.02, y, text, ha="left", va="center", transform=panel.transAxes, fontsize=7)
        shown = "–" if np.isnan(value) else f"{value:.3f}"
        panel.text(0.98, y, shown, ha="right", va="center", transform=panel.transAxes, fontsize=7)


def _add_legend(figure: Figure, classes: Sequence[str]) -> None:
    def dot(marker: str, colour: str, face: str | None = None) -> Line2D:
        return Line2D(
            [], [], linestyle="none", marker=marker, color=colour, markersize=4,
            markerfacecolor=face or colour,
        )  # fmt: skip

    handles = [dot(_MARKERS[kind], colour) for kind, colour in _KINDS.items()]
    handles.append(dot("^", style.RED, "none"))
    names = [*_KINDS, "audio, silent frame"]
    if 0 < len(classes) <= len(_PALETTE):
        handles += [dot("s", _class_colour("audio", c, classes)) for c in classes]
        names += [c.replace("_", " ") for c in classes]
    # Names are as long as data sets make them: as many columns as the page holds.
    width = max(len(name) for name in names) * _CHARACTER_INCHES + _KEY_INCHES
    columns = max(1, min(len(names), int(style.WIDTHS["page"] / width)))
    figure.legend(handles, names, loc="outside upper center", ncols=columns)
