from __future__ import annotations

from pathlib import Path

from analysis.robustness.table import strength_words, to_latex, to_markdown, write


def test_a_row_a_corruption_with_the_mean_over_its_strengths(planted_robustness) -> None:
    text = to_markdown(planted_robustness({"a_1": 0.1, "b": 0.0}, deaf=("b",)))
    lines = [[part.strip() for part in line.split("|")] for line in text.splitlines()]
    clean, noise = lines[2:4]
    assert lines[0][1:4] == ["J", "a_1", "b"]
    assert clean[1] == "clean clips" and clean[2] == "0.580"
    assert noise[1] == "white noise, 10 to 0 dB" and noise[2].startswith("−0.150")
    assert noise[3] == "+0.000"
    assert "the score on 6 clips as they are" in text and "up to 2 seeds" in text
    assert "over clips and seeds" in text and "Methods that hear nothing: 'b'." in text
    assert text.count("white noise, 10 to 0 dB") == 3
    assert "| area " in text and "| found " in text


def test_files_are_written(planted_robustness, tmp_path: Path) -> None:
    measured = planted_robustness({"50 % of_it": 0.1})
    assert [path.name for path in write(measured, tmp_path)] == ["robustness.md", "robustness.tex"]
    assert r"50 \% of\_it" in to_latex(measured)
    assert to_latex(measured).count(r"\begin{tabular}") == 3
    measured.runs.title = "My grid"
    assert r"\label{tab:robustness-my-grid}" in to_latex(measured)


def test_strengths_in_words() -> None:
    assert [strength_words(s) for s in (float("inf"), -10.0, 0.25, 4000.0)] == [
        "off", "−10", "0.25", "4000",
    ]  # fmt: skip
