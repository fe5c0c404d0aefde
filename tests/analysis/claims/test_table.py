from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.claims.claim import Claim
from analysis.claims.file import Claims
from analysis.claims.judge import judge_grids
from analysis.claims.kinds import Beats, Monotone
from analysis.claims.table import caption, notes, rows, to_latex, to_markdown, write_claims
from analysis.claims.verdict import Judged
from analysis.runs.results import load_runs


@pytest.fixture
def judged(planted: Callable[..., Path], tmp_path: Path) -> Callable[..., Judged]:
    def of(*held: Claim, **how: int) -> Judged:
        path = tmp_path / "mine.py"
        path.write_text("claims = []")
        results = load_runs(planted({"up": 0.05, "same": 0.0}, **how))
        return judge_grids(Claims("mine", "Mine & yours", held, path), {"grid": results})

    return of


UP = Beats(sentence="Up is up", source="section 4", cell="up", other="b", by=0.01)
SAME = Monotone(sentence="It rises", source="section 1", inferred=True, cells=["same", "b", "up"])
PLAIN = Beats(sentence="Up is better", cell="up", other="b")
GONE = Beats(sentence="It was there", cell="gone", other="b")


def test_rows_say_what_was_claimed_measured_and_found(judged) -> None:
    up, same, plain = rows(judged(UP, SAME, PLAIN, GONE))
    assert up.claim == "Up is up (section 4)" and same.claim == "It rises (section 1, inferred)"
    assert plain.claim == "Up is better"
    assert up.verdict == "supported" and same.verdict == "undecided"
    assert up.measured.startswith("up over b (J, test): +0.0") and up.measured.endswith("> 0.01")
    assert up.p_for == "< 0.001" and up.p_against == "1.000"
    assert up.data == "5 seeds, 30 clips" and up.decides == ""
    assert same.measured.startswith("b over same (J, test): ")  # the step that holds least
    assert "more seed" in same.decides or "alone" in same.decides


def test_the_caption_counts_and_explains(judged) -> None:
    said = caption(judged(UP, SAME, GONE))
    assert said.startswith("3 claims: 1 supported, 0 contradicted, 1 undecided, 1 not judged; ")
    assert "intervals of 95 %" in said and "below 0.05" in said and "†" not in said


def test_one_seed_is_marked(judged) -> None:
    of_one = judged(UP, num_seeds=1)
    assert rows(of_one)[0].data == "1 seed, 30 clips†"
    assert caption(of_one).endswith("†: of one seed, for these trained models alone.")


def test_notes_name_what_was_not_judged(judged) -> None:
    (note,) = notes(judged(UP, GONE))
    assert note.startswith("not judged: claims.1 (It was there): unknown cell")


def test_markdown(judged) -> None:
    text = to_markdown(judged(UP, SAME, GONE))
    assert text.startswith("**Mine & yours**\n\n| claim ")
    assert "| Up is up (section 4) " in text and "- not judged: claims.2" in text


def test_latex_is_typeset_whole(judged, typeset) -> None:
    nasty = [
        Beats(sentence=f"50 % of a_b & {word} #{n}", cell="up", other="b", source="section {1}")
        for n, word in enumerate(["$x^2$", "~", "x" * 60, "日本"] * 5)
    ]
    text = to_latex(judged(UP, SAME, GONE, *nasty))
    assert text.count(r"\begin{table*}") == 2 and text.count(r"\label{tab:claims-mine-grid") == 2
    assert "continued" in text and text.count("23 claims: ") == 1
    typeset(text, "{booktabs}")
    nothing = to_latex(judged(GONE))
    assert r"\label{tab:claims-mine-grid}" in nothing and "1 claims: 0 supported" in nothing
    typeset(nothing, "{booktabs}")


def test_files_hold_every_number_and_the_runs_behind_it(judged, tmp_path: Path) -> None:
    found = judged(UP, SAME, GONE)
    paths = write_claims(found, tmp_path / "out", tmp_path)
    assert [path.name for path in paths] == ["claims.md", "claims.tex", "claims.json"]
    content = json.loads(paths[-1].read_text())
    assert content["family"] == 3 and len(content["verdicts"]) == 2
    up, same = content["verdicts"]
    assert up["claim"]["type"] == "Beats" and up["claim"]["by"] == 0.01 and up["grid"] == "grid"
    assert up["low"] < up["estimate"] < up["high"] and up["needed"] is None
    assert up["p_corrected"] == pytest.approx(min(1, 3 * up["p"]), rel=1e-6)
    assert [bound["words"] for bound in same["bounds"]] == ["b over same", "up over b"]
    assert same["needed"]["text"] and same["inferred"] is True
    assert len(content["not_judged"]) == 1 and len(content["file"]["sha256"]) == 64
    runs = content["grids"]["grid"]
    assert len(runs) == 15 and {run["run_dir"] for run in runs} >= {"runs/0", "runs/14"}
