"""The figures of a folder inside a page, those that it lacks or that are out of date drawn anew."""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

from analysis.figures.style import NOTE_KEY
from analysis.report.pages import data_uri
from analysis.runs.results import Results
from auralsam2.listing import files_in

CAPTIONS = {
    "grid_points": "Every cell: a point for each seed, a bar for their mean over clips.",
    "effects": "Means of the axes' levels, and what a level changes, alone and with another's.",
    "breakdown": "Which clips carry the difference of two cells.",
    "qualitative": "Clips that all runs have saved: frames, truth, and a row of masks a cell; "
    "the sound below.",
    "dilution_curves": "Attention of the mask decoder, site by site.",
    "dilution_curves_no_prompts": "The same, effects against no prompts at all.",
    "dilution_heads": "Single heads of the mask decoder, site by site.",
    "signal_retention": "What is left of a prompt at each site, in tokens and image keys.",
    "site_matrix": "Prompts exchanged at one site, attention read at each.",
    "embedding_tsne": "Audio and visual vectors in two dimensions.",
    "embedding_tsne_fused": "The same, before the projector.",
    "embedding_tsne_perplexities": "The same at other perplexities.",
    "robustness": "Scores under corrupted sound and pictures, against their strength; bands: 95 % "
    "intervals of what has changed since the clean clips.",
    "training_curves": "Training and validation: mean over seeds, from the lowest to the highest.",
    "efficiency": "Scores against speed and size.",
    "clicks": "Scores after corrective clicks, with the sound and without; 95 % intervals.",
    "failures_lowest": "Where the reference cell scores worst.",
    "failures_listens_least": "Where the reference cell loses least with another sound.",
    "failures_largest_loss": "Where the reference cell is furthest behind another one.",
    "failures_largest_gain": "Where the reference cell is furthest ahead of another one.",
    "sweep_history": "Trials of the sweep in order, and the best so far.",
    "sweep_importance": "How much each parameter matters.",
    "sweep_slice": "Score against each parameter.",
    "sweep_pareto": "Trials that no other beats in every objective.",
}
_LARGEST_CSV, _LARGE_PNG = 200_000, 400_000


class EmbeddedFigure(NamedTuple):
    """A figure."""

    name: str  # of its file
    caption: str  # in words
    picture: str  # its address
    # Address of the CSV of what it shows; None where there is none, or a large one.
    numbers: str | None


def draw_missing(results: Results, folder: Path) -> None:
    """Draw the grid's own figures where they are missing, or older than its newest run."""
    from analysis.figures import grid_points, qualitative

    records = [Path(str(run_dir)) / "record.json" for run_dir in results.runs["run_dir"]]
    newest = max(path.stat().st_mtime for path in records)
    for figure in (grid_points, qualitative):
        path = folder / f"{figure.NAME}.png"
        if not path.is_file() or path.stat().st_mtime < newest:
            figure.make(results, folder)


def draw_missing_of_sweep(sweep: Path, trials: Path) -> None:
    """Draw a sweep's figures where there are none, or they are older than its trials."""
    from analysis.figures import sweep as figures

    drawn = list((sweep / "figures").glob("sweep_*.png"))
    if not drawn or min(p.stat().st_mtime for p in drawn) < trials.stat().st_mtime:
        figures.make(sweep, sweep / "figures")


def collect(folder: Path) -> list[EmbeddedFigure]:
    """Return the figures of a folder, known ones first and in their order."""
    order = {name: position for position, name in enumerate(CAPTIONS)}
    found = sorted(files_in(folder, "*.png"), key=lambda p: (order.get(p.stem, len(order)), p.stem))
    return [_embed(path) for path in found]


def figure_uri(png: bytes) -> str:
    """Return a figure's address; large ones, which hold photographs, as WebP of a tenth."""
    if len(png) <= _LARGE_PNG:
        return data_uri(png, "image/png")
    from PIL import Image

    file = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(file, format="WEBP", quality=88)
    return data_uri(file.getvalue(), "image/webp")


def _embed(path: Path) -> EmbeddedFigure:
    csv = path.with_suffix(".csv")
    small = csv.is_file() and csv.stat().st_size <= _LARGEST_CSV
    caption = CAPTIONS.get(path.stem, path.stem.replace("_", " ").capitalize() + ".")
    if note := _note(path):
        caption += f" {note[0].upper()}{note[1:]}."
    numbers = data_uri(csv.read_bytes(), "text/csv;charset=utf-8") if small else None
    return EmbeddedFigure(path.stem, caption, figure_uri(path.read_bytes()), numbers)


def _note(path: Path) -> str:
    """Return what the picture itself says that a reader must know."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return str(picture.info.get(NOTE_KEY, ""))
    except OSError:  # no picture that this can read; a browser shows what it can
        return ""
