"""t-SNE of the audio-visual space at several perplexities: what is there in one picture only?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from analysis.figures import style
from analysis.figures.embedding_tsne import (
    KINDS,
    PAIRS,
    EmbeddingTSNE,
    draw,
    keys,
    modalities,
    row,
    set_title,
)

NAME = "embedding_tsne_perplexities"


def to_frame(numbers: EmbeddingTSNE) -> pd.DataFrame:
    """Return the trustworthiness of every picture, a row an arm and perplexity."""
    return pd.DataFrame(
        row(numbers, arm, plane, {}) for arm in numbers.arms for plane in arm.planes
    )


def make(numbers: EmbeddingTSNE, folder: Path, *, name: str = NAME) -> list[Path]:
    """Write ``embedding_tsne_perplexities.*`` of one arm at least: perplexities by arms."""
    columns, rows = len(numbers.arms), len(numbers.perplexities)
    with style.paper_style():
        figure = style.new_figure("page", rows * 1.7 + 0.95)
        grid = figure.subplots(rows, columns, squeeze=False)
        for arm, panels in zip(numbers.arms, grid.T, strict=True):
            set_title(panels[0], arm, columns)
            for plane, panel in zip(arm.planes, panels, strict=True):
                draw(plane, panel, "class", numbers.classes, np.random.default_rng(0))
                shown = f"trustworthiness {plane.trustworthiness:.3f}"
                panel.set_xlabel(shown, fontsize=style.SMALLEST_PT)
        for perplexity, panel in zip(numbers.perplexities, grid[:, 0], strict=True):
            panel.set_ylabel(f"perplexity {perplexity:g}")
        found = modalities(dict.fromkeys(KINDS, "0.3")) | keys("class", numbers.classes)
        figure.legend(
            list(found.values()),
            list(found),
            loc="outside upper center",
            ncols=4,
            fontsize=style.SMALLEST_PT,
            handler_map=PAIRS,
        )
        return style.save(figure, to_frame(numbers), folder, name)
