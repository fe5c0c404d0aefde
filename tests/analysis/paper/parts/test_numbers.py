"""Numbers in a recipe: what is wrong is told; the example paper is typeset with planted ones."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.paper.make import make_paper
from analysis.paper.part import PARTS, load_recipe
from analysis.paper.source import find_sources
from auralsam2.engine import run_record

ROOT = Path(__file__).resolve().parents[4]
TEST = dict(split="test", metric="J")
ARMS = {
    "box prompt": 0.8,
    "no prompt": 0.4,
    "audio token": 0.5,
    "AuralSAM2": 0.66,
    "single injection": 0.6,
    "one level repeated": 0.62,
    "InfoNCE": 0.64,
}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (dict(prefix="aural2"), "prefix: a macro's name has letters alone, got 'aural2'"),
        (dict(cell_names={"none": ""}), "cell_names.none: a macro's name"),
        (dict(columns=["fbs"]), "did you mean 'fps'"),
        (dict(over="seeds"), "over"),
        (dict(interval="{low}"), "a text with {low} and {high}"),
        (dict(digits=-1), "digits: wanted how many"),
        (dict(numbers={"G1": dict(cell="a", **TEST)}), "numbers.G1: a macro's name"),
        (dict(numbers={"G": dict(sell="a", **TEST)}), "did you mean 'cell'"),
        (dict(numbers={"G": dict(**TEST)}), "say cell="),
        (dict(numbers={"G": dict(cell="a", split="test")}), "split=... and metric=..."),
        (dict(numbers={"G": dict(cell="a", column="fps", **TEST)}), "either split and metric"),
        (dict(numbers={"G": dict(cell="a", column="fps", minus="b")}), "means alone"),
        (dict(numbers={"G": dict(cell="a", **TEST, show="differense")}), "'difference'"),
        (dict(numbers={"G": dict(cell="a", **TEST, show="p")}), "is of a difference"),
        (dict(numbers={"G": dict(cell="a", **TEST, minus="b", show="mean")}), "of one cell"),
        (dict(numbers={"G": dict(cell="a", **TEST, minus=dict(metric="F"))}), "key of minus"),
        (dict(numbers={"G": dict(cell="a", **TEST, minus="b", show="words")}), "words are three"),
        (dict(numbers={"G": dict(cell="a", **TEST, sign="allways")}), "'always'"),
        (dict(numbers={"G": "dense"}), "wanted dict(cell="),
    ],
)
def test_what_is_wrong_in_a_recipe_is_told_before_anything_is_made(
    arguments: dict, said: str
) -> None:
    with pytest.raises(ValueError) as caught:
        PARTS.build(dict(type="Numbers", **arguments))
    assert said in str(caught.value), caught.value


def test_cells_that_are_not_there_fail_the_part_with_all_of_them(
    write_grid: Callable[..., Path], tmp_path: Path
) -> None:
    write_grid(tmp_path / "runs" / "arms")
    numbers = {
        "Gain": dict(cell="dens", **TEST, minus="none"),
        "Other": dict(cell="dense", split="tests", metric="J"),
    }
    recipe = tmp_path / "mine.py"

    def make(**changes: object):
        node = dict(type="Numbers", numbers={**numbers, **changes})
        recipe.write_text(f"parts = [{node!r}]\n")
        sources = find_sources(tmp_path / "runs")
        out = tmp_path / "paper"
        return make_paper(sources, load_recipe(str(recipe)), out)

    (problem,) = make().problems
    assert "numbers.Gain: unknown cell 'dens'; did you mean 'dense'" in problem
    assert "known: dense, none, sparse, sparse+dense" in problem
    assert "numbers.Other: unknown split 'tests'; did you mean 'test'" in problem
    written = tmp_path / "paper" / "arms" / "numbers" / "numbers.tex"
    assert not written.exists()
    good = dict(Gain=dict(cell="dense", **TEST, minus="none"), Other=dict(cell="dense", **TEST))
    assert not make(**good).problems and r"\newcommand{\auralGain}" in written.read_text()
    # What an earlier call has written is not taken for this one's.
    assert make().problems and not written.exists()


def test_its_command_is_make_paper_with_the_recipe(
    write_grid: Callable[..., Path], tmp_path: Path
) -> None:
    (source,) = find_sources(write_grid(tmp_path / "arms"))
    (part,) = (p for _, p in load_recipe("paper").parts if type(p).__name__ == "Numbers")
    out = tmp_path / "paper"
    said = part.arguments(source, part.place(source, out))
    assert said == ["make-paper", str(tmp_path / "arms"), "--recipe", "paper", "--out", str(out)]


@pytest.fixture
def example(write_grid: Callable[..., Path], tmp_path: Path) -> Path:
    """The example paper's folder, with all that its recipe makes of planted runs."""
    arms = {**ARMS, "no contrastive loss": 0.65}
    grid = write_grid(tmp_path / "runs" / "arms", arms, reference="AuralSAM2")
    for number, path in enumerate(sorted(grid.glob("runs/*/record.json"))):
        record = run_record.read(path)
        rng = np.random.default_rng(number)  # scores of names of equal length would differ alike
        for score in record.per_clip:
            score["value"] += rng.uniform(-0.05, 0.05)
        scores = pd.DataFrame(record.per_clip).groupby(["split", "metric"])["value"].mean()
        record.metrics = {
            split: {metric: float(scores[split, metric]) for metric in metrics}
            for split, metrics in record.metrics.items()
        }
        for epoch in (1, 2):
            run_record.add_validation(record, epoch, {"J": 0.3 * epoch})
        record.selection = {"split": "val", "metric": "J", "value": 0.6}
        run_record.write(record, path.parent)
    paper = tmp_path / "paper"
    shutil.copytree(ROOT / "paper", paper, ignore=shutil.ignore_patterns("made", "main.[!t]*"))
    recipe = load_recipe(str(paper / "recipe.py"))
    made = make_paper(find_sources(tmp_path / "runs"), recipe, paper / "made")
    assert not made.problems
    return paper


def test_the_example_paper_uses_what_its_recipe_makes(example: Path) -> None:
    text = (example / "main.tex").read_text()
    defined = re.findall(
        r"\\newcommand\{\\(\w+)\}", (example / "made/arms/numbers/numbers.tex").read_text()
    )
    used = set(re.findall(r"\\(aural\w+)", text))
    assert used and used <= {*defined}
    # A sentence without a macro for its number could be contradicted by one.
    body = text.partition(r"\begin{abstract}")[2].partition(r"\begin{figure*}")[0]
    assert re.findall(r"\d+", body.replace("SAM2", "")) == ["95"], "the level of the intervals"
    for path in re.findall(r"(?:input|includegraphics\[.*?\])\{(made.*?)\}", text):
        assert list(example.glob(f"{path}.*")), path


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_the_example_paper_is_typeset_and_an_unknown_number_stops_it(example: Path) -> None:
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "main.tex"]

    def typeset() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=example, capture_output=True, text=True, errors="replace"
        )

    assert typeset().returncode == 0
    done = typeset()
    assert done.returncode == 0 and (example / "main.pdf").stat().st_size > 20_000
    for wrong in ("Overfull", "undefined references", "multiply defined"):
        assert wrong not in done.stdout, wrong
    main = example / "main.tex"
    main.write_text(main.read_text().replace(r"\auralGainOverNone{}", r"\auralGainOverNothing{}"))
    done = typeset()
    assert done.returncode != 0 and "Undefined control sequence" in done.stdout
