"""Names beside points, where they hide neither each other nor what is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from analysis.figures.figure_text import settle_text

# Points of a page: how far a name is from its point, nearest first.
_DISTANCES = (4.5, 9, 15, 22, 30, 40)
_HALF = 0.5**0.5
_BESIDE = ((1, 0), (-1, 0), (0, 1), (0, -1))
_BETWEEN = ((_HALF, _HALF), (-_HALF, _HALF), (_HALF, -_HALF), (-_HALF, -_HALF))
_DIRECTIONS = (*_BESIDE, *_BETWEEN)
_LEADER_FROM = 8.0
_MARKER = 3.0
_CROWD = 60.0

Array = NDArray[Any]


class Place(NamedTuple):
    """Where a name stands.

    Attributes:
        box: in pixels.
        leader: (2, 2) ends of the line to its point in pixels, or None where it is near.
        free: whether it hides nothing.
    """

    box: Bbox
    leader: Array | None
    free: bool


def label_points(
    panel: Axes,
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    *,
    colours: Sequence[str],
    fontsize: float,
    bars: Sequence[tuple[float, float]] = (),
) -> list[Place]:
    """Write a name beside every point, further off and with a line where it is crowded.

    Call it when limits and layout are final. A name that fits nowhere stands at the
    right, or as far right as the panel goes.

    Args:
        panel: with the points.
        points: in the panel's data.
        names: as many; lines are broken already.
        colours: as many.
        fontsize: in points.
        bars: of each point, half their width and height in data; names keep off them too.

    Returns:
        Where each name stands, in the order of the points.
    """
    dots, taken = _drawn(panel, points, bars)
    pixel = _pixels_of_a_point(panel)
    # Who has most neighbours has the fewest ways out.
    gaps = np.linalg.norm(dots[:, None] - dots[None], axis=2)
    places: dict[int, Place] = {}
    for index in np.argsort(-(gaps < _CROWD * pixel).sum(axis=1), kind="stable").tolist():
        size = _size(panel, names[index], fontsize)
        place = _place(panel, size, dots, index, taken)
        places[index] = place
        taken += [place.box, *(() if place.leader is None else _along(place.leader))]
        _write(panel, place, names[index], color=colours[index], fontsize=fontsize)
    return [places[index] for index in range(len(names))]


def _drawn(
    panel: Axes, points: Sequence[tuple[float, float]], bars: Sequence[tuple[float, float]]
) -> tuple[Array, list[Bbox]]:
    """Return the points (N, 2) in pixels, and the boxes of what is drawn, theirs first."""
    data = np.asarray(points, dtype=float).reshape(-1, 2)
    dots = panel.transData.transform(data)
    radius = _MARKER * _pixels_of_a_point(panel)
    taken = [Bbox.from_extents(*(dot - radius), *(dot + radius)) for dot in dots]
    for point, half in zip(data, bars, strict=bool(bars)):
        for axis in (0, 1):
            step = np.zeros(2)
            step[axis] = half[axis]
            low, high = panel.transData.transform(np.stack([point - step, point + step]))
            if half[axis] > 0:
                taken.append(Bbox.from_extents(*(low - 1), *(high + 1)))
    return dots, taken


def _place(panel: Axes, size: Array, dots: Array, index: int, taken: Sequence[Bbox]) -> Place:
    pixel = _pixels_of_a_point(panel)
    inside = panel.bbox.padded(-2 * pixel)
    others = [box for number, box in enumerate(taken) if number != index]
    first = None
    for distance, (right, up) in product(_DISTANCES, _DIRECTIONS):
        direction = np.array([right, up])
        corner = dots[index] + direction * distance * pixel - size * (1 - direction) / 2
        box = Bbox.from_bounds(*corner, *size)
        first = first or box
        if not (inside.x0 <= box.x0 and box.x1 <= inside.x1):
            continue
        if not (inside.y0 <= box.y0 and box.y1 <= inside.y1):
            continue
        if any(box.overlaps(other) for other in taken):
            continue
        leader = None
        if distance > _LEADER_FROM:
            near = np.clip(dots[index], (box.x0, box.y0), (box.x1, box.y1))
            leader = np.stack([dots[index], near])
            if any(piece.overlaps(other) for piece in _along(leader) for other in others):
                continue
        return Place(box, leader, True)
    assert first is not None
    return Place(_moved_inside(first, inside), None, False)


def _moved_inside(box: Bbox, panel: Bbox) -> Bbox:
    """Move a name that would be cut off; one that is larger than the panel begins in its corner."""
    left = max(panel.x0, min(box.x0, panel.x1 - box.width))
    bottom = max(panel.y0, min(box.y0, panel.y1 - box.height))
    return Bbox.from_bounds(left, bottom, box.width, box.height)


def _along(line: Array) -> Iterator[Bbox]:
    """Cover a line with small boxes, so that what is beside a slanted one stays free."""
    start, end = line
    # Its own point lies on whatever bars that has.
    for share in np.linspace(0.25, 1, 12):
        x, y = start + share * (end - start)
        yield Bbox.from_bounds(x - 0.5, y - 0.5, 1, 1)


def _size(panel: Axes, name: str, fontsize: float) -> Array:
    renderer = FigureCanvasAgg(panel.figure).get_renderer()  # type: ignore[arg-type]
    text = panel.text(0, 0, name, fontsize=fontsize, linespacing=1.0)
    settle_text(text)
    box = text.get_window_extent(renderer)
    text.remove()
    return np.array([box.width, box.height])


def _write(panel: Axes, place: Place, name: str, *, color: str, fontsize: float) -> None:
    """Write in the panel's own units, which do not depend on the resolution."""
    to_axes = panel.transAxes.inverted()
    x, y = to_axes.transform((place.box.x0, place.box.y0))
    font: dict[str, Any] = {"fontsize": fontsize, "linespacing": 1.0}
    text = panel.text(
        x, y, name, transform=panel.transAxes, color=color, ha="left", va="bottom", zorder=5, **font
    )
    text.set_path_effects([withStroke(linewidth=1.5, foreground="white")])
    text.set_in_layout(False)
    settle_text(text)
    if place.leader is not None:
        ends = to_axes.transform(place.leader).T
        panel.plot(*ends, transform=panel.transAxes, color=color, linewidth=0.4, zorder=1.5)


def _pixels_of_a_point(panel: Axes) -> float:
    figure = panel.get_figure(root=True)
    assert figure is not None
    return float(figure.dpi) / 72
