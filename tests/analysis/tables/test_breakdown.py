from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from analysis.statistics.breakdowns import BROKEN_DOWN
from analysis.statistics.crossed_means import CLIPS_AND_SEEDS
from analysis.tables.breakdown import footnote, to_texts, write

NAN = float("nan")


def found(certain: bool = True) -> pd.DataFrame:
    usual = {"varies": CLIPS_AND_SEEDS, "num_seeds": 3, "p": 0.01, "apart_varies": CLIPS_AND_SEEDS}
    rows = [
        {"attribute": "", "bin": "all clips", "difference": 0.1, "low": 0.05, "high": 0.15,
         "significant": certain, "num_clips": 30, "share": 1.0, "apart_difference": NAN,
         "apart_low": NAN, "apart_high": NAN, "apart_significant": False},
        {"attribute": "class", "bin": "a|b", "difference": 0.2, "low": NAN, "high": NAN,
         "significant": False, "num_clips": 10, "share": 2 / 3, "apart_difference": 0.15,
         "apart_low": 0.1, "apart_high": 0.2, "apart_significant": True},
    ]  # fmt: skip
    return pd.DataFrame([usual | row for row in rows]).reindex(columns=list(BROKEN_DOWN))


def test_a_row_a_bin() -> None:
    texts = to_texts(found(), ("test", "J"))
    assert texts.to_numpy().tolist() == [
        ["", "all clips", "30", "+0.100 [+0.050, +0.150]*", "100%", "–"],
        ["class", "a|b", "10", "+0.200", "67%", "+0.150 [+0.100, +0.200]*"],
    ]
    assert list(texts)[3:] == ["difference in J", "share of it", "minus the other clips'"]


def test_no_shares_of_what_is_not_clear() -> None:
    assert to_texts(found(certain=False), ("test", "J"))["share of it"].tolist() == ["–", "–"]
    assert "No shares, since" in footnote(found(certain=False))
    assert "Share: of the sum" in footnote(found())


def test_files(tmp_path: Path) -> None:
    paths = write(found(), ("a_b", "b"), ("test", "J"), tmp_path, "My grid")
    assert [path.name for path in paths] == ["breakdown.md", "breakdown.tex", "breakdown.csv"]
    assert r"a\|b" in paths[0].read_text() and r"a\_b minus b" in paths[1].read_text()
    assert r"\label{tab:breakdown-my-grid}" in paths[1].read_text()


def test_many_classes_stand_on_several_pages(tmp_path: Path, typeset) -> None:
    many = found().iloc[np.repeat([0, 1], [1, 90])].reset_index(drop=True)
    many["bin"] = [f"class {number}, " + "long " * (5 * (number % 5)) for number in range(91)]
    _, latex, _ = write(many, ("a", "b"), ("test", "J"), tmp_path, "")
    text = latex.read_text()
    assert text.count("continued") == text.count("begin{tabular}") - 1 > 1
    assert text.count("In brackets") == 1 and all(f"class {n}, " in text for n in range(91))
    assert "Float too large" not in typeset(text)
