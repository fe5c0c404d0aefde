"""A few clips as pictures: frames, truth, a row of predictions a cell, the sound below."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.gridspec import GridSpecFromSubplotSpec
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from analysis.figures import style
from analysis.results import Results, is_control

NAME = "qualitative"
PREDICTIONS = "predictions.npz"
MOST_FRAMES = 5
# The log-mel patches of VGGish: 0.96 s, 64 bands between these frequencies.
_LOWEST, _HIGHEST = "125 Hz", "7.5 kHz"
_TRUTH_COLOUR, _PREDICTION_COLOUR = style.GREEN, style.RED
_LABEL_INCHES = 0.86
_SOUND_SHARE = 0.62

Array = NDArray[Any]


class Row(NamedTuple):
    """The predictions of one cell for one clip.

    Attributes:
        label: cell, and the split where it is a control.
        seed: of the run.
        masks: (T, H, W), above 0 where predicted.
        score: the clip's score as recorded, e.g. ``("J", 0.71)``, or None.
    """

    label: str
    seed: int
    masks: Array
    score: tuple[str, float] | None


class ClipSheet(NamedTuple):
    """Everything that is drawn of one clip; T frames.

    Attributes:
        clip: name.
        seconds: (T,) the second of the clip that each frame belongs to, from 1.
        frames: (T, h, w, 3) uint8.
        truth: (T, H, W), above 0 on the object.
        rows: predictions from top to bottom.
        log_mel: (T, 96, 64), the sound of each frame's second, time before frequency.
    """

    clip: str
    seconds: tuple[int, ...]
    frames: Array
    truth: Array
    rows: tuple[Row, ...]
    log_mel: Array


def collect(results: Results, *, num_clips: int = 2) -> list[ClipSheet]:
    """Read the saved predictions of every cell's first seed.

    The clips are the first ones of the data set that all runs have saved, never picked by hand.
    The reference cell also shows its predictions under swapped sound, where saved.

    Args:
        results: the runs.
        num_clips: how many clips at most.

    Returns:
        One entry a clip; empty where no run has saved predictions.
    """
    firsts = results.runs.sort_values("seed", kind="stable").groupby("cell", sort=False).first()
    saved: dict[str, dict[str, Array]] = {}
    for cell in results.cells:
        path = Path(str(firsts.loc[cell, "run_dir"])) / PREDICTIONS
        if path.is_file():
            with np.load(path) as arrays:
                saved[cell] = {key: arrays[key] for key in arrays.files}
    main = next((split for split in results.splits if not is_control(split)), None)
    if not saved or main is None:
        return []
    clips = _common_clips(saved, main)[:num_clips]
    seeds = {cell: int(firsts.loc[cell, "seed"]) for cell in saved}
    return [_clip_sheet(results, saved, seeds, main, clip) for clip in clips]


def draw(sheet: ClipSheet, panels: Array, *, labelled: bool) -> None:
    """Draw one clip.

    Args:
        sheet: of `collect`.
        panels: (2 + cells + 1, T) axes: frames, truth, predictions, sound.
        labelled: write what the rows are at the left.
    """
    low, high = float(sheet.log_mel.min()), float(sheet.log_mel.max())
    for column, second in enumerate(sheet.seconds):
        frame = sheet.frames[column]
        extent = (0, sheet.truth.shape[2], sheet.truth.shape[1], 0)
        for panel in panels[:-1, column]:
            panel.imshow(frame, extent=extent, aspect="auto")
        panels[0, column].set_title(f"{second} s", pad=2)
        _overlay(panels[1, column], sheet.truth[column], _TRUTH_COLOUR)
        for row, panel in zip(sheet.rows, panels[2:-1, column], strict=True):
            _overlay(panel, row.masks[column], _PREDICTION_COLOUR)
        panels[-1, column].imshow(
            sheet.log_mel[column].T,
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=low,
            vmax=max(high, low + 1e-6),
        )
    for panel in panels.flat:
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set_visible(False)
    for row, panel in zip(sheet.rows, panels[2:-1, 0], strict=True):
        if row.score is not None:
            _write_score(panel, row.score)
    if labelled:
        _label_rows(sheet, panels[:, 0])


def make(results: Results, folder: Path, *, num_clips: int = 2) -> list[Path]:
    """Write ``qualitative.pdf``, ``.png`` and ``.csv``; nothing where nothing is saved.

    Up to two clips lie side by side on the width of a page.
    """
    sheets = collect(results, num_clips=num_clips)
    if not sheets:
        return []
    num_rows = len(sheets[0].rows) + 2
    num_columns = sum(len(sheet.seconds) for sheet in sheets)
    with style.paper_style():
        width = "page" if len(sheets) > 1 else "column"
        inner = style.WIDTHS[width] - _LABEL_INCHES - 0.12 * (len(sheets) - 1)
        tile = inner / num_columns
        height = tile * _aspect(sheets) * num_rows + tile * _SOUND_SHARE + 0.42
        figure = style.new_figure(width, height)
        figure.set_layout_engine("none")
        outer = figure.add_gridspec(
            1,
            len(sheets),
            left=_LABEL_INCHES / style.WIDTHS[width],
            right=0.998,
            bottom=0.03 / height,
            top=1 - 0.34 / height,
            wspace=0.12 / (inner / len(sheets)),
            width_ratios=[len(sheet.seconds) for sheet in sheets],
        )
        for index, sheet in enumerate(sheets):
            ratios = [_aspect(sheets)] * num_rows + [_SOUND_SHARE]
            grid = GridSpecFromSubplotSpec(
                num_rows + 1,
                len(sheet.seconds),
                outer[index],
                height_ratios=ratios,
                wspace=0.04,
                hspace=0.06,
            )
            panels = grid.subplots()
            panels = np.asarray(panels).reshape(num_rows + 1, len(sheet.seconds))
            draw(sheet, panels, labelled=index == 0)
            box = outer[index].get_position(figure)
            figure.text((box.x0 + box.x1) / 2, 1 - 0.02 / height, sheet.clip, ha="center", va="top")
        return style.save(figure, to_frame(sheets), folder, NAME)


def to_frame(sheets: list[ClipSheet]) -> pd.DataFrame:
    """Return what the sheets show in numbers.

    Returns:
        Columns clip, row, seed, second, truth_area, predicted_area (shares of the frame), iou
        (NaN where both are empty).
    """
    rows = []
    for sheet in sheets:
        for row in sheet.rows:
            for index, second in enumerate(sheet.seconds):
                truth, mask = sheet.truth[index] > 0, row.masks[index] > 0
                union = int((truth | mask).sum())
                rows.append(
                    {
                        "clip": sheet.clip,
                        "row": row.label,
                        "seed": row.seed,
                        "second": second,
                        "truth_area": truth.mean(),
                        "predicted_area": mask.mean(),
                        "iou": int((truth & mask).sum()) / union if union else float("nan"),
                    }
                )
    return pd.DataFrame(rows)


def _common_clips(saved: Mapping[str, Mapping[str, Array]], split: str) -> list[str]:
    """Return the clips that every run has saved, in the order of the first."""
    ending = "/prediction"
    listed = [
        [key[len(split) + 1 : -len(ending)] for key in arrays if _is_of(key, split, ending)]
        for arrays in saved.values()
    ]
    return [clip for clip in listed[0] if all(clip in other for other in listed)]


def _is_of(key: str, split: str, ending: str) -> bool:
    return key.startswith(f"{split}/") and key.endswith(ending)


def _clip_sheet(
    results: Results,
    saved: Mapping[str, Mapping[str, Array]],
    seeds: Mapping[str, int],
    split: str,
    clip: str,
) -> ClipSheet:
    first = next(iter(saved.values()))
    num_frames = len(first[f"{split}/{clip}/frames"])
    chosen = np.unique(np.linspace(0, num_frames - 1, MOST_FRAMES).round().astype(int))
    rows = [
        Row(cell, seeds[cell], arrays[f"{split}/{clip}/prediction"][chosen], None)._replace(
            score=_score(results, cell, seeds[cell], split, clip)
        )
        for cell, arrays in saved.items()
    ]
    if results.reference in saved:
        cell = str(results.reference)
        for control in filter(is_control, results.splits):
            masks = saved[cell].get(f"{control}/{clip}/prediction")
            if masks is not None:
                label = f"{cell},\n{control.removeprefix(split + '_').replace('_', ' ')}"
                score = _score(results, cell, seeds[cell], control, clip)
                rows.append(Row(label, seeds[cell], masks[chosen], score))
    key = f"{split}/{clip}"
    return ClipSheet(
        clip=clip,
        seconds=tuple(int(index) + 1 for index in chosen),
        frames=first[f"{key}/frames"][chosen],
        truth=first[f"{key}/truth"][chosen],
        rows=tuple(rows),
        log_mel=first[f"{key}/log_mel"][chosen],
    )


def _score(
    results: Results, cell: str, seed: int, split: str, clip: str
) -> tuple[str, float] | None:
    metric = results.metrics[0]
    wanted = {"cell": cell, "seed": seed, "split": split, "clip": clip, "metric": metric}
    scores = results.scores
    for column, value in wanted.items():
        scores = scores[scores[column] == value]
    return (metric, float(scores["value"].iloc[0])) if len(scores) else None


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
    for line_colour, line_width in (("white", 1.1), (colour, 0.6)):
        panel.contour(across, down, padded, [0.5], colors=[line_colour], linewidths=line_width)
    panel.set(xlim=(0, width), ylim=(height, 0))


def _write_score(panel: Axes, score: tuple[str, float]) -> None:
    panel.text(
        0.04,
        0.95,
        f"{score[0]} {score[1]:.2f}",
        transform=panel.transAxes,
        ha="left",
        va="top",
        color="white",
        fontsize=style.SMALLEST_PT,
        path_effects=[withStroke(linewidth=1.4, foreground="black")],
    )


def _label_rows(sheet: ClipSheet, panels: Array) -> None:
    labels = ["frame", "ground truth", *(row.label for row in sheet.rows), ""]
    for label, panel in zip(labels, panels, strict=True):
        panel.text(
            -0.08, 0.5, label, transform=panel.transAxes, ha="right", va="center", fontsize=8
        )
    panels[-1].set_yticks([0, sheet.log_mel.shape[2] - 1], [_LOWEST, _HIGHEST])
    panels[-1].tick_params(axis="y", length=1.5, pad=1.5)
