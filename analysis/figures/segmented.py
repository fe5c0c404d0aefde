"""One segmented video at a glance: frames, masks over them, the sound, areas of the objects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import style
from analysis.figures.figure_text import settle, wrap_name
from auralsam2.segment.outputs import Glance, Picture
from auralsam2.segment.overlay import colour_of

# Inches.
_LEFT, _RIGHT, _GAP, _TITLE, _TIMES, _CURVE, _BETWEEN, _BELOW = (
    0.5, 0.06, 0.04, 0.24, 0.17, 0.62, 0.14, 0.36,
)  # fmt: skip
_TITLE_CHARACTERS, _TITLE_LINE = 90, 0.16


def write_sheet(glance: Glance, path: Path) -> None:
    """Draw a video and write it as a PNG."""
    with style.paper_style():
        figure = sheet(glance)
        settle(figure)
        figure.savefig(path, dpi=style.PNG_DPI)


def sheet(glance: Glance) -> Figure:
    """Draw a video; call it within `style.paper_style`."""
    total = style.WIDTHS["page"]
    num_columns = len(glance.pictures)
    tile = (total - _LEFT - _RIGHT - (num_columns - 1) * _GAP) / num_columns
    height, width = glance.pictures[0].shape[:2]
    # A single tall frame would fill a page by itself.
    tall = min(tile * height / width, 2.2)
    tile = tall * width / height
    curves = 2 if glance.waveform is not None else 1
    title = wrap_name(glance.name, _TITLE_CHARACTERS)
    head = _TITLE + _TITLE_LINE * title.count("\n") + _TIMES
    down = head + 2 * tall + _GAP + curves * (_CURVE + _BETWEEN) + _BELOW
    figure = style.new_figure("page", down)
    figure.set_layout_engine("none")

    figure.text(0.5, 1 - 0.05 / down, title, ha="center", va="top", fontweight="bold")
    for row, pictures in enumerate((glance.pictures, glance.drawn)):
        top = head + row * (tall + _GAP)
        for column, (picture, time) in enumerate(zip(pictures, glance.times, strict=True)):
            axes = style.panel_at(figure, _LEFT + column * (tile + _GAP), top, tile, tall)
            _draw_picture(axes, picture, "" if row else _time(time))
    top = head + 2 * tall + _GAP + _BETWEEN
    wide = total - _LEFT - _RIGHT
    curve_axes = [
        style.panel_at(figure, _LEFT, top + n * (_CURVE + _BETWEEN), wide, _CURVE)
        for n in range(curves)
    ]
    if glance.waveform is not None:
        _draw_waveform(curve_axes[0], glance)
    _draw_areas(curve_axes[-1], glance)
    for axes in curve_axes:
        axes.set_xlim(0, glance.end)
        axes.tick_params(labelbottom=axes is curve_axes[-1])
        for time in glance.times:
            axes.axvline(time, color="0.75", linewidth=0.6, zorder=0)
    curve_axes[-1].set_xlabel("seconds; grey lines are the frames above")
    return figure


def _draw_picture(axes: Axes, picture: Picture, title: str) -> None:
    axes.imshow(picture, aspect="auto")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.set_title(title, pad=2, fontsize=style.SMALLEST_PT)


def _draw_waveform(axes: Axes, glance: Glance) -> None:
    assert glance.waveform is not None
    middles = (np.arange(len(glance.waveform)) + 0.5) * glance.end / len(glance.waveform)
    low, high = glance.waveform.T
    axes.fill_between(middles, low, high, color="0.35", linewidth=0.3)
    loudest = max(float(np.abs(glance.waveform).max()), 1e-3)
    axes.set(ylim=(-1.05 * loudest, 1.05 * loudest), yticks=[0], yticklabels=[""])
    axes.set_ylabel("sound")


def _draw_areas(axes: Axes, glance: Glance) -> None:
    for obj_id, areas in zip(glance.objects, glance.areas, strict=True):
        colour = tuple(level / 255 for level in colour_of(obj_id))
        steps = [*glance.all_times, glance.end], [*areas, areas[-1]]
        axes.step(*steps, where="post", color=colour, label=f"object {obj_id}")
    axes.set_ylim(0, max(1.15 * float(glance.areas.max()), 0.01))
    axes.yaxis.set_major_locator(style.round_ticks(3))
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.3g} %")
    axes.set_ylabel("area")
    if len(glance.objects) > 1:
        axes.legend(loc="upper right", ncols=len(glance.objects), fontsize=style.SMALLEST_PT)


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds, 2), 60)
    return f"{int(minutes)}:{rest:05.2f}" if minutes else f"{rest:.2f} s"
