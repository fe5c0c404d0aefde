from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from analysis.report import write_sweep_report
from analysis.report.sweep import summary, trial_table
from analysis.runs.sweep_results import load_sweep_results


def test_every_trial_is_a_row(write_sweep_folder) -> None:
    table = trial_table(load_sweep_results(write_sweep_folder()))
    assert table.headers[:4] == [
        "trial",
        "state",
        "J",
        "trained parameters",
    ]
    assert len(table.rows) == 7 and all(len(row) == len(table.headers) for row in table.rows)
    assert [row[0].text for row in table.rows if row[0].best] == ["4"]
    first = dict(zip(table.headers, table.rows[0]))
    assert first["optim.optimizer.lr"].value == 1e-3 and first["model.fusion"].text == "SumFusion"
    assert table.rows[1][-1].text == "–", "a parameter that does not apply"


def test_counts_that_are_sought_are_whole_numbers(write_sweep_folder) -> None:
    sweep = load_sweep_results(write_sweep_folder())
    sweep = replace(sweep, directions={"J": "maximize", "num_trainable": "minimize"})
    sweep.trials["num_trainable"] = 1695488.0
    assert dict(summary(sweep))["Best trial"] == "4: J 0.700, num_trainable 1\u202f695\u202f488"
    assert trial_table(sweep).rows[0][3].text == "1\u202f695\u202f488"


def test_the_page_says_what_was_searched(write_sweep_folder, tmp_path: Path) -> None:
    folder = write_sweep_folder()
    facts = dict(summary(load_sweep_results(folder)))
    assert facts["Objectives"] == "maximize J" and facts["Best trial"] == "4: J 0.700"
    assert facts["Trials"] == "4 complete, 1 pruned, 1 failed, 1 running"
    (folder / "figures").mkdir()
    (folder / "figures" / "sweep_history.png").write_bytes(b"drawn")
    (page,) = write_sweep_report(folder, tmp_path / "out")
    text = page.read_text()
    assert "<h1>Toys</h1>" in text and "Trials of the sweep in order" in text
