"""Every command that reads run folders, on a grid in which every kind of damage occurs once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from auralsam2_tools import __main__ as dispatcher
from matplotlib.figure import Figure

from analysis.figures import training_curves
from analysis.report import embedded_figures
from analysis.runs.results import NoResultsError, load_runs
from analysis.runs.saved_clips import load_clips
from auralsam2.engine import run_record

WHOLE = ("none", "whole")
# What is done to a record, and what is said of it.
RECORDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (lambda path: path.write_bytes(path.read_bytes()[:200]), "no JSON"),
    "empty": (lambda path: path.write_bytes(b""), "no JSON"),
    "other schema": (lambda path: change(path, schema=99), "schema: got 99"),
    "fields": (lambda path: change(path, seed="x", stranger=1), "unknown field 'stranger'"),
    "bytes": (lambda path: path.write_bytes(b'{"name": "\xff"}'), "can't decode byte 0xff"),
    "nested": (lambda path: path.write_text("[" * 100_000), "recursion"),
}
# What is done to another file of a run, which still counts.
FILES: dict[str, Callable[[Path], object]] = {
    "half an archive": lambda run: halve(run / "predictions.npz"),
    "empty archive": lambda run: (run / "predictions.npz").write_bytes(b""),
    "log": lambda run: log(run, b'{"iter": 1, "step": "x"}\n\xff\n[]\n{"step": {}}\n' + LINE),
    "config": lambda run: (run / "config.py").write_bytes(b"model = \xff("),
    "numbers": lambda run: not_finite(run / "record.json"),
}
LINE = b'{"iter": 2, "step": 2, "loss": 1.0}\n'
ERROR = "Traceback\nOSError: cannot read '/data/\udcff.wav'\n"
ARCHIVES = ("half an archive", "empty archive")


def change(path: Path, **fields: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def not_finite(path: Path) -> None:
    scores = json.loads(path.read_text())["per_clip"]
    scores[0]["value"], scores[1]["value"] = float("nan"), float("inf")
    change(path, per_clip=scores)


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def log(run: Path, content: bytes) -> None:
    folder = run / "session" / "vis_data"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scalars.json").write_bytes(content)


@pytest.fixture
def damaged(
    write_grid: Callable[..., Path],
    write_run: Callable[..., object],
    save_predictions: Callable[..., None],
    tmp_path: Path,
) -> Path:
    """A grid of one seed: two whole cells, one of each damage, and a failed run."""
    cells = dict.fromkeys([*WHOLE, *RECORDS, *FILES, "failed"], 0.5)
    folder = write_grid(tmp_path / "grid", cells, seeds=(0,), reference="none")
    for cell in cells:
        run = folder_of(folder, cell)
        save_predictions(run, 2, ("clip_00",), 1, (8, 12))
        log(run, LINE)
        (run / "config.py").write_text("model = dict(type='M')")
        if cell in RECORDS:
            RECORDS[cell][0](run / "record.json")
        if cell in FILES:
            FILES[cell](run)
    write_run(folder_of(folder, "failed"), "failed", 0, status="failed", error=ERROR)
    return folder


def squash(text: str) -> str:
    """Lines of a terminal break anywhere."""
    return re.sub(r"\s", "", text)


def folder_of(folder: Path, cell: str) -> Path:
    return folder / "runs" / f"{cell.replace(' ', '_')}-s0-x"


def test_what_can_be_read_counts_and_all_else_is_named(damaged: Path) -> None:
    results = load_runs(damaged)
    assert results.cells == (*WHOLE, *FILES)
    for cell, (_, said) in RECORDS.items():
        (note,) = [n for n in results.notes if n.startswith(f"{cell}, seed 0: ")]
        assert "left out, its record cannot be read" in note and said in note
    assert "2 scores of single clips are no numbers: left out of the means" in results.notes


def test_without_a_grid_file_damaged_runs_are_named_by_their_folders(damaged: Path) -> None:
    (damaged / "grid.json").unlink()
    results = load_runs(damaged)
    assert set(results.cells) == {*WHOLE, *FILES}
    for cell in RECORDS:
        assert [note for note in results.notes if f"{folder_of(damaged, cell)}'" in note]


def test_a_grid_of_nothing_but_damage_says_so(write_grid, tmp_path: Path) -> None:
    folder = write_grid(tmp_path / "grid", {"only": 0.5}, seeds=(0,))
    halve(folder / "runs/only-s0-x/record.json")
    with pytest.raises(NoResultsError, match="only, seed 0: left out, its record cannot be read"):
        load_runs(folder)


def test_clips_and_curves_of_the_others_are_shown(damaged: Path, tmp_path: Path) -> None:
    results = load_runs(damaged)
    (clip,) = load_clips(results, num_clips=2, most_frames=1)
    assert [row.label for row in clip.rows][: len(WHOLE)] == list(WHOLE)
    for cell in ARCHIVES:
        assert cell not in [row.label for row in clip.rows]
        assert f"no saved clips of {cell}, seed 0: predictions.npz is damaged" in str(results.notes)
    curves = training_curves.collect(results)
    assert set(curves.cells) == set(results.cells), "half a log is a log"


@pytest.mark.parametrize(
    ("command", "written"),
    [
        (["make-tables"], "table.csv"),
        (["make-figures"], "figures/grid_points.csv"),
        (["report", "--clips", "1"], "report/index.html"),
        (["grid-status"], None),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_a_command_shows_the_rest_whole(
    command: list[str],
    written: str | None,
    damaged: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embedded_figures, "draw_missing", lambda *_: None)  # see make-figures
    name, *options = command
    if name == "make-figures":  # whose numbers are looked at
        monkeypatch.setattr(Figure, "savefig", lambda *_, **__: None)
    status = dispatcher.main([name, str(damaged), *options])
    shown = "".join(capsys.readouterr())
    assert status == 0, shown
    for cell, (_, said) in RECORDS.items():
        assert cell in shown and squash(said) in squash(shown)
    assert r"\udcff.wav" in shown, "the failed run's error"
    if written is not None:
        text = (damaged / written).read_text(encoding="utf-8")
        for cell in (*WHOLE, *FILES):
            assert cell in text
        if written.endswith(".csv"):
            assert set(pd.read_csv(damaged / written, keep_default_na=False)["cell"]) == {
                *WHOLE,
                *FILES,
            }
        else:
            assert r"\udcff.wav" in text and "left out, its record cannot be read" in text


def test_a_paper_says_what_it_lacks(
    damaged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.py"
    recipe.write_text("title = 'T'\nparts = [dict(type='ScoreTable')]\n")
    arguments = [str(damaged), "--recipe", str(recipe), "--out", str(tmp_path / "paper")]
    assert dispatcher.main(["make-paper", *arguments]) == 1
    shown = "".join(capsys.readouterr())
    assert "truncated, seed 0: left out, its record cannot be read" in shown
    assert dispatcher.main(["make-paper", *arguments, "--partial"]) == 0
    manifest = (tmp_path / "paper" / "manifest.md").read_text(encoding="utf-8")
    assert r"\udcff.wav" in manifest.replace("\\\\", "\\") and "other schema, seed 0" in manifest


def test_a_record_that_may_not_be_read_is_one_that_cannot_be(
    grid_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = run_record.read

    def refused(path: Path) -> run_record.RunRecord:
        if path.parent.name == "dense-s0-x":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(run_record, "read", refused)
    (note,) = load_runs(grid_folder).notes
    assert note.startswith("dense, seed 0: left out, its record cannot be read: [Errno 13]")


def test_a_record_with_numbers_that_json_has_not_reads_as_no_numbers(damaged: Path) -> None:
    values = [e["value"] for e in run_record.read(folder_of(damaged, "numbers")).per_clip]
    assert [value != value for value in values[:3]] == [True, True, False]
