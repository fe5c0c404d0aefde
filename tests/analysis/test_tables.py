from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from analysis import tables
from analysis.results import load_runs
from analysis.tables import make_table
from auralsam2.engine import run_record


@pytest.fixture
def exact(tmp_path: Path) -> Callable[..., Path]:
    """Write runs whose J on one clip is exactly what is given."""

    def write(scores: dict[tuple[str, int], float], reference: str | None = "b") -> Path:
        cells: dict[str, list] = {}
        for (cell, seed), value in scores.items():
            record = run_record.start(
                name=cell,
                axes={},
                seed=seed,
                run_id=f"{cell}{seed}",
                config_hash="c",
                data_fingerprint="d",
            )
            for split in ("test", "test_audio_swapped"):
                swapped = value if split == "test" else 1 - value
                run_record.add_scores(record, split, {"J": swapped}, {"J": {"clip": swapped}})
            folder = f"runs/{cell}{seed}"
            run_record.write(run_record.finish(record, 1.0), tmp_path / folder)
            cells.setdefault(cell, []).append({"seed": seed, "run_id": "", "folder": folder})
        grid = {"title": "A & B_c", "reference": reference}
        grid["cells"] = [{"name": cell, "runs": runs} for cell, runs in cells.items()]
        (tmp_path / "grid.json").write_text(json.dumps(grid))
        return tmp_path

    return write


SCORES = {("a", 0): 0.2, ("a", 1): 0.4, ("b", 0): 0.5, ("b", 1): 0.8}
TEST = ("test", "J")


def test_mean_and_sample_deviation_over_seeds(exact) -> None:
    table = make_table(load_runs(exact(SCORES)))
    assert table.mean[TEST].tolist() == pytest.approx([0.3, 0.65])
    assert table.std[TEST].tolist() == pytest.approx([np.std([0.2, 0.4], ddof=1), 0.3 / 2**0.5])
    assert table.count[TEST].tolist() == [2, 2]
    assert tables.texts(table)[TEST].tolist() == ["0.300 ± 0.141", "0.650 ± 0.212"]


def test_one_seed_has_no_spread(exact) -> None:
    table = make_table(load_runs(exact({("a", 0): 0.2, ("b", 0): 0.5, ("b", 1): 0.6})))
    shown = tables.texts(table)
    assert shown[TEST].tolist() == ["0.200", "0.550 ± 0.071"]
    assert shown[tables.SEEDS].tolist() == ["1", "2"]


def test_best_is_marked_as_printed_and_never_on_controls(exact) -> None:
    scores = {("a", 0): 0.5, ("b", 0): 0.70001, ("c", 0): 0.7}
    best = tables.best_cells(make_table(load_runs(exact(scores))))
    assert best[TEST].tolist() == [False, True, True]
    assert not best[("test_audio_swapped", "J")].any()


def test_a_single_row_is_not_best(exact) -> None:
    assert not tables.best_cells(make_table(load_runs(exact({("b", 0): 0.5})))).any(axis=None)


def test_differences_are_paired_by_seed(exact) -> None:
    scores = {**SCORES, ("a", 2): 0.9}  # seed 2 has no partner
    table = make_table(load_runs(exact(scores)), difference=True)
    assert table.difference.columns.tolist() == [TEST]
    assert table.difference[TEST].iloc[0] == pytest.approx(np.mean([0.2 - 0.5, 0.4 - 0.8]))
    assert tables.texts(table)[("test vs b", "J")].tolist() == ["-0.350", "–"]


@pytest.mark.parametrize(("reference", "message"), [(None, "no reference"), ("z", "'z' has no")])
def test_a_difference_needs_its_reference(exact, reference, message) -> None:
    results = load_runs(exact(SCORES, reference))
    with pytest.raises(ValueError, match=message):
        make_table(results, difference=True)


def test_markdown(grid_folder: Path) -> None:
    results = load_runs(grid_folder)
    results.notes.append("boom, seed 0: failed: x")
    text = tables.to_markdown(make_table(results))
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 4
    header = [part.strip() for part in rows[0].strip("|").split("|")]
    assert header == ["cell", "test J", "test F", "test audio swapped J"] + [
        "test audio swapped F",
        "seeds",
    ]
    assert {row.count("|") for row in rows} == {7}
    assert rows[-1].count("**") == 4 and "**" not in "".join(rows[:-1])
    assert text.startswith("**Audio prompts of a frozen SAM2**\n\n| cell")
    assert "6 clips of test," in text and "8 runs, data dddddddddd, code 0.1.0+abc" in text
    assert text.endswith("Notes:\n\n- boom, seed 0: failed: x\n")


def test_markdown_escapes_pipes(exact) -> None:
    text = tables.to_markdown(make_table(load_runs(exact({("a|b", 0): 0.2}, None))))
    assert "a\\|b" in text


def test_latex(exact) -> None:
    text = tables.to_latex(
        make_table(load_runs(exact({("x_1", 0): 0.2, **SCORES})), difference=True)
    )
    for part in (
        r"\toprule",
        r"\midrule",
        r"\bottomrule",
        "test audio swapped",
        r"x\_1",
        r"0.300 $\pm$ 0.141",
        r"\textbf{0.650 $\pm$ 0.212}",
        r"A \& B\_c",
        r"\label{tab:a-b-c}",
        r" $-0.350$ ",
        " -- ",
    ):
        assert part in text
    assert "±" not in text and "–" not in text and "cell &" not in text


def test_a_terminal_of_80_columns_is_enough(grid_folder: Path) -> None:
    console = Console(width=80, file=io.StringIO())
    console.print(tables.to_rich(make_table(load_runs(grid_folder))))
    shown = console.file.getvalue()
    assert shown.count("±") == 4 * 4
    assert all(
        re.search(r"\d\.\d{3}±\d\.\d{3}", line) for line in shown.splitlines() if "±" in line
    )
    assert "sparse+dense" in shown and "…" not in shown


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_compiles(exact, tmp_path: Path) -> None:
    table = make_table(load_runs(exact(SCORES)), difference=True)
    source = (
        "\\documentclass{article}\\usepackage{booktabs,multirow}\\begin{document}"
        + tables.to_latex(table)
        + "\\end{document}"
    )
    (tmp_path / "t.tex").write_text(source)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


def test_csv_holds_the_numbers(exact) -> None:
    frame = tables.to_frame(make_table(load_runs(exact(SCORES)), difference=True))
    assert frame.columns.tolist() == ["cell", "split", "metric", "mean", "std", "num_seeds"] + [
        "difference"
    ]
    row = frame[(frame["cell"] == "a") & (frame["split"] == "test")].iloc[0]
    assert row["mean"] == pytest.approx(0.3) and row["num_seeds"] == 2


def test_every_entry_names_its_runs(exact, tmp_path: Path) -> None:
    table = make_table(load_runs(exact(SCORES)))
    content = tables.provenance(table, tmp_path)
    assert len(content["entries"]) == 4
    entry = content["entries"][0]
    assert (entry["cell"], entry["split"], entry["metric"]) == ("a", "test", "J")
    assert [run["run_dir"] for run in entry["runs"]] == ["runs/a0", "runs/a1"]
    assert np.mean([run["value"] for run in entry["runs"]]) == pytest.approx(0.3)
    assert entry["runs"][0].keys() == {
        "seed",
        "value",
        "run_id",
        "config_hash",
        "data_fingerprint",
        "label_source",
        "code_version",
        "run_dir",
    }


def test_write_tables(exact, tmp_path: Path) -> None:
    paths = tables.write_tables(make_table(load_runs(exact(SCORES))), tmp_path / "out")
    assert [path.name for path in paths] == [
        "table.md",
        "table.tex",
        "table.csv",
        "table.provenance.json",
    ]
    assert json.loads(paths[3].read_text())["title"] == "A & B_c"
    assert len(pd.read_csv(paths[2])) == 4
