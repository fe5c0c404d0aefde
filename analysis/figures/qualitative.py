"""A few clips as pictures: frames, truth, a row of predictions a cell, the sound below."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from analysis.figures import style
from analysis.results import Results
from analysis.saved_clips import Array, SavedClip, load_clips, to_frame

NAME = "qualitative"
MOST_FRAMES = 5
# The bands of VGGish's log-mel patches (0.96 s, 64 bands) lie between these.
_FREQUENCIES = ("125 Hz", "7.5 kHz")
_TRUTH_COLOUR, _PREDICTION_COLOUR = style.GREEN, style.RED
# Inches.
_LABELS, _HEADER, _GAP, _BETWEEN_CLIPS, _EDGE = 0.9, 0.3, 0.025, 0.12, 0.02
_SOUND_HEIGHT = 0.34


def collect(results: Results, *, num_clips: int = 2) -> list[SavedClip]:
    """Return the clips to draw; see `analysis.saved_clips.load_clips`."""
    return load_clips(results, num_clips=num_clips, most_frames=MOST_FRAMES)


def draw(clip: SavedClip, panels: Array, *, labelled: bool) -> None:
    """Draw one clip.

    Args:
        clip: of `collect`.
        panels: (2 + rows + 1, T) axes: frames, truth, predictions, sound.
        labelled: write what the rows are at the left.
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


def make(results: Results, folder: Path, *, num_clips: int = 2) -> list[Path]:
    """Write ``qualitative.pdf``, ``.png`` and ``.csv``; nothing where nothing is saved.

    Several clips lie side by side on the width of a page, one fits a column.
    """
    clips = collect(results, num_clips=num_clips)
    if not clips:
        return []
    with style.paper_style():
        figure, blocks = _layout(clips)
        for index, (clip, panels) in enumerate(zip(clips, blocks, strict=True)):
            draw(clip, panels, labelled=index == 0)
            left, right = (panels[0, column].get_position() for column in (0, -1))
            top = 1 - _EDGE / figure.get_figheight()
            figure.text((left.x0 + right.x1) / 2, top, clip.clip, ha="center", va="top")
        return style.save(figure, to_frame(clips), folder, NAME)


def _layout(clips: list[SavedClip]) -> tuple[Figure, list[Array]]:
    """Place square-edged tiles to the thousandth of an inch, so that all columns align."""
    width = "page" if len(clips) > 1 else "column"
    total = style.WIDTHS[width]
    num_columns = sum(len(clip.seconds) for clip in clips)
    inner = total - _LABELS - _EDGE - (len(clips) - 1) * _BETWEEN_CLIPS
    tile = inner / num_columns
    shape = max(clip.truth.shape[1] / clip.truth.shape[2] for clip in clips)
    num_rows = max(len(clip.rows) for clip in clips) + 2
    total_height = _HEADER + num_rows * tile * shape + _SOUND_HEIGHT + _EDGE
    figure = style.new_figure(width, total_height)
    figure.set_layout_engine("none")
    blocks: list[Array] = []
    left = _LABELS
    for clip in clips:
        panels = np.empty((len(clip.rows) + 3, len(clip.seconds)), dtype=object)
        for column in range(len(clip.seconds)):
            top = _HEADER
            for row in range(len(panels)):
                tall = _SOUND_HEIGHT if row == len(panels) - 1 else tile * shape
                bottom = total_height - top - tall
                panels[row, column] = figure.add_axes(
                    (
                        left / total,
                        (bottom + _GAP) / total_height,
                        (tile - _GAP) / total,
                        (tall - _GAP) / total_height,
                    )
                )
                top += tall
            left += tile
        left += _BETWEEN_CLIPS
        blocks.append(panels)
    return figure, blocks


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
            textwrap.fill(label, 16),
            transform=panel.transAxes,
            ha="right",
            va="center",
        )
    panels[-1].set_yticks([0, clip.log_mel.shape[2] - 1], list(_FREQUENCIES))
    panels[-1].tick_params(axis="y", length=1.5, pad=1.5)
    for tick, place in zip(panels[-1].get_yticklabels(), ("bottom", "top"), strict=True):
        tick.set_verticalalignment(place)
