from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.embeddings.companions import COMPANIONS
from analysis.embeddings.points import SPACES, RunPoints
from analysis.embeddings.table import (
    at_level,
    caption,
    companions_of_runs,
    summarise,
    to_latex,
    to_markdown,
    write,
)


def rows(cells=("none", "A_c & B"), seeds=(0, 1)) -> pd.DataFrame:
    """``none`` has no projected space; level 1 is one more than level 0."""
    return pd.DataFrame(
        {"cell": cell, "seed": seed, "space": space, "level": level, "coarsest": level == 1}
        | {"num_clips": 3, "num_points": 9}
        | dict.fromkeys(COMPANIONS, -0.5 + level + 0.1 * seed)
        for cell in cells
        for seed in seeds
        for space in SPACES
        for level in (0, 1)
        if (cell, space) != ("none", "projected")
    )


def test_mean_and_deviation_over_seeds() -> None:
    table = summarise(at_level(rows(), -1))

    assert list(table.columns) == ["A_c & B", "none"] or list(table) == ["none", "A_c & B"]
    assert len(table) == 2 * len(COMPANIONS)
    assert table.loc[("fused", "alignment"), "none"] == "0.550 ± 0.071"
    assert table.loc[("projected", "alignment"), "none"] == "–"
    single = summarise(at_level(rows(cells=["none"], seeds=(0,)), 0))
    assert list(single.index.unique("space")) == ["fused"]
    assert single.loc[("fused", "alignment"), "none"] == "-0.500"


def test_levels_count_from_each_pyramids_end() -> None:
    held = rows()
    held = held[(held["cell"] != "none") | (held["level"] == 0)]

    assert set(map(tuple, at_level(held, -1)[["cell", "level"]].to_numpy())) == {
        ("none", 0),
        ("A_c & B", 1),
    }
    assert set(at_level(held, 1)["cell"]) == {"A_c & B"}


def test_files(tmp_path: Path) -> None:
    paths = write(rows(), tmp_path, -1, RunPoints(), "My grid")

    assert [p.name for p in paths] == [f"embedding_companions.{k}" for k in ("csv", "md", "tex")]
    assert len(pd.read_csv(paths[0])) == len(rows())
    lines = paths[1].read_text().splitlines()
    header, _, first, *_ = ([part.strip() for part in line.split("|")[1:-1]] for line in lines)
    assert set(lines[1]) == set("|-"), "a rule, which no escape breaks"
    assert header == ["space", "companion", "none", "A_c & B"]
    assert first == ["projected", "audio→pixel AUROC", "–", "0.550 ± 0.071"]
    assert lines[-1] == (
        "Audio-visual space on the original vectors, the pyramid's coarsest level, 3 clips of "
        "split test; mean ± standard deviation over 2 seeds."
    )
    latex = paths[2].read_text()
    assert r"A\_c \& B" in latex and r"0.550 $\pm$ 0.071" in latex
    assert r"\label{tab:embedding-companions-my-grid}" in latex
    assert "\\midrule\n\\bottom" not in latex


def test_a_caption_says_of_what_the_means_are() -> None:
    assert caption(rows(seeds=(0,)), 0, RunPoints(split="held", max_clips=5)) == (
        "Audio-visual space on the original vectors, the pyramid's finest level, the first 3 clips "
        "of split held; one seed."
    )
    more = pd.concat([rows(), rows(cells=["none"], seeds=(2,))])
    assert "level 2, 3 clips" in caption(more, 2, RunPoints())
    assert caption(more, 2, RunPoints()).endswith("over 2 to 3 seeds.")


def test_no_runs_no_rows() -> None:
    empty = companions_of_runs({})
    assert empty.empty and set(COMPANIONS) < set(empty)


def test_markdown_of_odd_names() -> None:
    text = to_markdown(rows(cells=("a|b", "space")), "")
    assert "a\\|b" in text and text.splitlines()[0].count(" space ") == 2


def test_it_compiles_with_many_long_names(typeset) -> None:
    cells = [f"AudioCon, published {n} & as_it was → {n} %" for n in range(7)]
    table = to_latex(at_level(rows(cells=cells), -1), "100 % of ± clips_x")
    assert table.count(r"\begin{tabular}") > 1
    typeset(table, packages="[margin=2cm]{geometry}\\usepackage{booktabs,multirow}")
