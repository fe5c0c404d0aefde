"""A few clips as pictures: frames, truth, a row of predictions a cell, the sound below."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from analysis.figures import style
from analysis.figures.figure_text import wrap_name
from analysis.runs.results import Results
from analysis.runs.saved_clips import Array, SavedClip, load_clips, to_frame

NAME = "qualitative"
MOST_FRAMES = 5
BESIDE = 2
"""Clips side by side on a page."""
_CAPTION_CHARACTERS = {"page": 42, "column": 34}
# The bands of VGGish's log-mel patches (0.96 s, 64 bands) lie between these.
_FREQUENCIES = ("125 Hz", "7.5 kHz")
_TRUTH_COLOUR, _PREDICTION_COLOUR = style.GREEN, style.RED
# Inches.
_LABELS, _HEADER, _GAP, _BETWEEN_CLIPS, _EDGE = 0.9, 0.3, 0.025, 0.12, 0.02
_SOUND_HEIGHT, _BETWEEN_ROWS, _TITLE_LINE, _CAPTION_LINE = 0.34, 0.1, 0.16, 0.13


def collect(
    results: Results, *, num_clips: int = 2, cells: Sequence[str] | None = None
) -> list[SavedClip]:
    """Return the clips to draw; see `analysis.runs.saved_clips.load_clips`."""
    return load_clips(results, num_clips=num_clips, most_frames=MOST_FRAMES, cells=cells)


def make(
    results: Results, folder: Path, *, num_clips: int = 2, cells: Sequence[str] | None = None
) -> list[Path]:
    """Write ``qualitative.pdf``, ``.png`` and ``.csv``; nothing where nothing is saved.

    Two clips lie side by side on the width of a page, one fits a column.
    """
    clips = collect(results, num_clips=num_clips, cells=cells)
    if not clips:
        return []
    with style.paper_style():
        return style.save(sheet(clips), to_frame(clips), folder, NAME)


def sheet(
    clips: Sequence[SavedClip], *, title: str = "", captions: Sequence[str] | None = None
) -> Figure:
    """Draw clips below a title whose lines are broken; call it within `style.paper_style`.

    Above each clip stands its caption, or its name where ``captions`` is None.
    """
    room = _CAPTION_CHARACTERS["page" if len(clips) > 1 else "column"]
    names = [
        "\n".join(wrap_name(line, room) for line in name.split("\n"))
        for name in ([clip.clip for clip in clips] if captions is None else captions)
    ]
    num_lines = max(len(name.splitlines()) for name in names)
    figure, blocks = lay_out(clips, title=title, caption_lines=num_lines)
    height = figure.get_figheight()
    if title:
        figure.text(
            0.5,
            1 - _EDGE / height,
            title,
            ha="center",
            va="top",
            linespacing=1.2,
            fontweight="bold",
        )
    header = _HEADER + (num_lines - 1) * _CAPTION_LINE
    for index, (clip, panels, name) in enumerate(zip(clips, blocks, names, strict=True)):
        draw(clip, panels, labelled=index % BESIDE == 0)
        left, right = (panels[0, column].get_position() for column in (0, -1))
        above = left.y1 + (header - _EDGE) / height
        figure.text((left.x0 + right.x1) / 2, above, name, ha="center", va="top", linespacing=1.05)
    return figure


def lay_out(
    clips: Sequence[SavedClip], *, title: str = "", caption_lines: int = 1
) -> tuple[Figure, list[Array]]:
    """Place square-edged tiles to the thousandth of an inch, so that all columns align.

    Args:
        clips: one fits a column of a page; several lie `BESIDE` each other on its width.
        title: room is left for its lines.
        caption_lines: of what stands above each clip.

    Returns:
        The figure, and for each clip the (2 + rows + 1, T) axes that `draw` takes.
    """
    width = "page" if len(clips) > 1 else "column"
    total = style.WIDTHS[width]
    lines = [clips[start : start + BESIDE] for start in range(0, len(clips), BESIDE)]
    num_columns = max(sum(len(clip.seconds) for clip in line) for line in lines)
    across = max(map(len, lines))
    tile = (total - _LABELS - _EDGE - (across - 1) * _BETWEEN_CLIPS) / num_columns
    tall = tile * max(clip.truth.shape[1] / clip.truth.shape[2] for clip in clips)
    header = _HEADER + (caption_lines - 1) * _CAPTION_LINE
    heights = [
        header + (max(len(clip.rows) for clip in line) + 2) * tall + _SOUND_HEIGHT for line in lines
    ]
    top = _TITLE_LINE * len(title.splitlines()) + 0.06 if title else 0.0
    total_height = top + sum(heights) + (len(lines) - 1) * _BETWEEN_ROWS + _EDGE
    figure = style.new_figure(width, total_height)
    figure.set_layout_engine("none")
    blocks: list[Array] = []
    for line, height in zip(lines, heights, strict=True):
        left = _LABELS
        for clip in line:
            blocks.append(_tiles(figure, clip, (left, top + header), (tile, tall)))
            left += tile * len(clip.seconds) + _BETWEEN_CLIPS
        top += height + _BETWEEN_ROWS
    return figure, blocks


def draw(clip: SavedClip, panels: Array, *, labelled: bool) -> None:
    """Draw one clip in (2 + rows + 1, T) axes: frames, truth, predictions, sound.

    ``labelled`` says whether what the rows are stands at the left.
    """
    _, height, width = clip.truth.shape
    loudness = {"vmin": clip.log_mel.min(), "vmax": clip.log_mel.max()}
    for column, second in enumerate(clip.seconds):
        for panel in panels[:-1, column]:
            panel.imshow(clip.frames[column], extent=(0, width, height, 0), aspect="auto")
        panels[0, column].set_title(f"{second} s", pad=2, fontsize=style.SMALLEST_PT)
        _overlay(panels[1, column], clip.truth[column], _TRUTH_COLOUR)
        for row, panel in zip(clip.rows, panels[2:-1, column], strict=True):
            _overlay(panel, row.masks[column], _PREDICTION_COLOUR)
        sound = clip.log_mel[column].T
        panels[-1, column].imshow(sound, origin="lower", aspect="auto", cmap="magma", **loudness)
    for panel in panels.flat:
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set_visible(False)
    corner = _emptiest_corner(clip)
    for row, panel in zip(clip.rows, panels[2:-1, 0], strict=True):
        if row.score is not None:
            _write_score(panel, *row.score, corner)
    if labelled:
        _label_rows(clip, panels[:, 0])


def _tiles(
    figure: Figure, clip: SavedClip, corner: tuple[float, float], tile: tuple[float, float]
) -> Array:
    """Add the axes of one clip; the corner is the left one at the top, everything in inches."""
    (left, top), (width, tall) = corner, tile
    heights = [tall] * (len(clip.rows) + 2) + [_SOUND_HEIGHT]
    places = [left + column * width for column in range(len(clip.seconds))]
    return np.array(
        [
            [style.panel_at(figure, x, top + row * tall, width - _GAP, high - _GAP) for x in places]
            for row, high in enumerate(heights)
        ]
    )


def _overlay(panel: Axes, mask: Array, colour: str) -> None:
    """Tint a mask and draw its outline."""
    inside = mask > 0
    if not inside.any():
        return
    height, width = inside.shape
    tint = np.zeros((height, width, 4))
    tint[..., :3] = to_rgb(colour)
    tint[..., 3] = 0.4 * inside
    panel.imshow(tint, extent=(0, width, height, 0), aspect="auto", interpolation="nearest")
    padded = np.pad(inside, 1).astype(float)  # closes the outline at the frame's border
    across, down = np.arange(-1, width + 1) + 0.5, np.arange(-1, height + 1) + 0.5
    for line_colour, line_width in (("white", 1.2), (colour, 0.7)):
        panel.contour(across, down, padded, [0.5], colors=[line_colour], linewidths=line_width)
    panel.set(xlim=(0, width), ylim=(height, 0))


def _emptiest_corner(clip: SavedClip) -> tuple[str, str]:
    """Return where text hides least of the first frame: (left or right, top or bottom)."""
    shown = np.mean([clip.truth[0] > 0, *(row.masks[0] > 0 for row in clip.rows)], axis=0)
    height, width = (size // 2 for size in shown.shape)
    corners = {
        ("left", "top"): shown[: height // 2, :width],
        ("left", "bottom"): shown[-(height // 2) :, :width],
        ("right", "top"): shown[: height // 2, -width:],
        ("right", "bottom"): shown[-(height // 2) :, -width:],
    }
    return min(corners, key=lambda corner: float(corners[corner].sum()))


def _write_score(panel: Axes, metric: str, value: float, corner: tuple[str, str]) -> None:
    across, down = corner
    panel.text(
        0.04 if across == "left" else 0.96,
        0.95 if down == "top" else 0.05,
        f"{metric} {value:.2f}",
        transform=panel.transAxes,
        ha=across,
        va=down,
        color="white",
        fontsize=style.SMALLEST_PT,
        path_effects=[withStroke(linewidth=1.5, foreground="black")],
    )


def _label_rows(clip: SavedClip, panels: Array) -> None:
    labels = ["frame", "ground truth", *(row.label for row in clip.rows)]
    for label, panel in zip(labels, panels[:-1], strict=True):
        panel.text(
            -0.09,
            0.5,
            wrap_name(label, 14),
            fontsize=style.SMALLEST_PT + 1,  # 14 characters fill `_LABELS`
            transform=panel.transAxes,
            ha="right",
            va="center",
            linespacing=1.05,
        )
    panels[-1].set_yticks([0, clip.log_mel.shape[2] - 1], list(_FREQUENCIES))
    panels[-1].tick_params(axis="y", length=1.5, pad=1.5)
    for tick, place in zip(panels[-1].get_yticklabels(), ("bottom", "top"), strict=True):
        tick.set_verticalalignment(place)
