"""A run over corrupt files stops, or goes on and says so in its record."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from auralsam2.data.problems import DataError
from auralsam2.engine import run_record
from auralsam2.engine.start import carry_over
from auralsam2.engine.train import train


@pytest.fixture
def damaged(tiny_config: Any, tiny_data: Path, tmp_path: Path) -> tuple[Any, list[Path]]:
    """One clip of train and one of test lose most of a frame."""
    root = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    paths = []
    for number in (1, 7):
        (folder,) = root.glob(f"v1m/clip0000{number}_*")
        paths.append(folder / "frames" / "1.jpg")
        paths[-1].write_bytes(paths[-1].read_bytes()[:200])
    tiny_config.data.root = str(root)
    tiny_config.optim.epochs = 1
    return tiny_config, paths


def test_a_run_stops_by_default(damaged: tuple[Any, list[Path]], tmp_path: Path) -> None:
    config, paths = damaged
    with pytest.raises(DataError, match=r"clip 'clip0000[17].*cannot decode") as caught:
        train(config, tmp_path / "run")
    assert any(str(path) in str(caught.value) for path in paths)


def test_a_run_that_skips_has_counts_and_names_in_its_record(
    damaged: tuple[Any, list[Path]], tmp_path: Path
) -> None:
    config, paths = damaged
    config.data.on_corrupt = "skip"
    record = train(config, tmp_path / "run")
    assert record.status == "done" and record == run_record.read(tmp_path / "run")
    assert record.label_source == "avsbench-semantic/v1m"
    assert record.skipped["train"] == record.skipped["test"] == 1
    for split, path in zip(("train", "test"), paths, strict=True):
        (note,) = [n for n in record.notes if n.startswith(f"{split}: ")]
        assert path.parents[1].name in note and str(path) in note
    scored = {s["clip"] for s in record.per_clip if s["split"] == "test"}
    assert len(scored) == 2 and paths[1].parents[1].name not in scored


def test_a_run_that_goes_on_with_other_clips_of_val_says_so() -> None:
    entry = {"epoch": 1, "split": "val", "scores": {"J": 0.5}}
    earlier = run_record.RunRecord(skipped={"val": 1}, curve=[entry])
    same, other = (run_record.RunRecord(skipped=skipped) for skipped in ({"val": 1}, {}))
    for record in (same, other):
        carry_over(earlier, record)
        assert record.curve == [entry]
    assert same.notes == []
    (note,) = other.notes
    assert note.startswith("val: 1 clips were left out before the run went on, 0 since then")
