from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.dilution import table as dilution_table
from analysis.dilution.indices import INDEX_COLUMNS

NAN = float("nan")


@pytest.fixture
def indices() -> pd.DataFrame:
    def row(arm, index, condition, value, first, final, low=NAN, high=NAN, seed="all"):
        listed = {"arm": arm, "seed": seed, "index": index, "condition": condition}
        numbers = {"value": value, "low": low, "high": high, "first": first, "final": final}
        return {**listed, **numbers, "num_clips": 60}

    return pd.DataFrame(
        [
            row("no_prompt", "D1", "true", NAN, -0.1, 0.2),
            row("ours & 50%", "D1", "true", -0.5, 0.2, 0.3, -0.6, -0.404),
            row("ours & 50%", "D1", "true", 0.1, 0.9, 0.9, seed=0),
            row("ours & 50%", "D1", "true", 0.1, 0.9, 0.9, seed=1),
            row("ours & 50%", "D2", "swapped", 0.25, 0.4, 0.3, 0.2, 0.3),
            row("ours & 50%", "D2", "no prompts", 0.0004, 0.3, 0.3, -0.001, 0.1),
            row("ours & 50%", "D2 outputs", "swapped", 0.6, 1.0, 0.4, 0.5, 0.7),
        ]
    )


def test_one_row_an_arm_and_condition(indices: pd.DataFrame) -> None:
    rows = dilution_table.to_rows(indices).to_numpy().tolist()

    assert rows == [
        ["no_prompt", "−0.100", "0.200", "–", "–", "–", "–", "–", "–"],
        [
            *("ours & 50%", "0.200", "0.300", "−0.50 [−0.60, −0.40]"),
            *("swapped", "0.400", "0.300", "0.25 [0.20, 0.30]", "0.60 [0.50, 0.70]"),
        ],
        ["", "", "", "", "no prompts", "0.300", "0.300", "0.00 [0.00, 0.10]", "–"],
    ]


def test_the_footnote_says_what_a_dash_means(indices: pd.DataFrame) -> None:
    text = dilution_table.footnote(indices)
    assert "95% interval over clips (up to 60 of them, each the mean of up to 2 seeds)" in text
    assert "for these trained models, which says nothing of training anew." in text
    assert "–: not defined" in text


def test_indices_without_an_interval_say_why(indices: pd.DataFrame) -> None:
    ours = (indices["arm"] == "ours & 50%") & (indices["seed"] == "all")
    bare = indices.assign(low=indices["low"].mask(ours & (indices["index"] != "D2 outputs")))

    assert dilution_table.to_rows(bare)["D1"].tolist() == ["–", "−0.50 [–]", ""]
    assert "[–]: no interval: g_1 or E_1 is not clearly above 0." in dilution_table.footnote(bare)
    assert "[–]" not in dilution_table.footnote(indices)
    single = dilution_table.footnote(bare.assign(num_clips=1))
    assert single.endswith("[–]: no interval: there is one clip alone.")


def test_no_numbers_at_all(tmp_path: Path) -> None:
    paths = dilution_table.write(pd.DataFrame(columns=list(INDEX_COLUMNS)), tmp_path)

    for path in paths[:2]:
        assert "No frame has a gain" in path.read_text() and "nan" not in path.read_text()


def test_markdown(indices: pd.DataFrame) -> None:
    lines = dilution_table.to_markdown(indices).splitlines()
    assert lines[0].startswith("| arm ") and "compared with" in lines[0]
    assert lines[3].split("|")[5].strip() == "swapped"
    assert len({line.count("|") for line in lines[:5]}) == 1


def test_files(indices: pd.DataFrame, tmp_path: Path) -> None:
    paths = dilution_table.write(indices, tmp_path / "new")
    assert [p.name for p in paths] == [f"dilution_indices.{k}" for k in ("md", "tex", "csv")]
    assert list(pd.read_csv(paths[2])["seed"]) == ["all", "all", "0", "1", "all", "all", "all"]


@pytest.mark.parametrize("name", ["x", "a much longer name of an arm, of the kind grids have_%"])
def test_it_compiles_within_the_page(indices: pd.DataFrame, typeset, name: str) -> None:
    text = dilution_table.to_latex(indices.replace({"no_prompt": name}), "My grid")
    assert r"\label{tab:dilution-my-grid}" in text
    assert r"ours \& 50\%" in text and "$-$0.50 [$-$0.60, $-$0.40]" in text
    typeset(text, packages="{booktabs}")
