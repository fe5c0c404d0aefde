from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ablations.runs import claims
from ablations.runs.claims import Watch
from ablations.runs.processes import this_process

from ..conftest import Clock, claim_elsewhere, until

RACER = Path(__file__).parents[1] / "fakes" / "racing.py"


def race(folder: Path, how: str, count: int = 3) -> list[list[str]]:
    names = [f"racer{i}" for i in range(count)]
    racers = [subprocess.Popen([sys.executable, RACER, folder, name, how]) for name in names]
    try:
        for name in names:
            until((folder / f"{name}.ready").exists)
        (folder / "start").touch()
        for name in names:
            until((folder / f"{name}.won").exists)
        return [json.loads((folder / f"{name}.won").read_text()) for name in names]
    finally:
        (folder / "end").touch()
        for racer in racers:
            racer.wait(10)


@pytest.mark.parametrize("how", ["fresh", "take-over"])
def test_of_racing_processes_exactly_one_gets_each_run(tmp_path: Path, how: str) -> None:
    runs = [tmp_path / f"run{i:02}" for i in range(40)]
    for run in runs:
        run.mkdir()
        if how == "take-over":
            claim_elsewhere(run)
    won = race(tmp_path, how)
    assert sorted(sum(won, [])) == [run.name for run in runs]


def test_a_claim_holds_until_it_ends(tmp_path: Path) -> None:
    assert claims.newest(tmp_path) is None
    first = claims.acquire(tmp_path, "driver 1")
    assert (first.number, first.driver, first.owner) == (1, "driver 1", this_process())
    assert claims.acquire(tmp_path) is None
    assert claims.holder(tmp_path) == first
    claims.end(tmp_path, first, "done")
    assert claims.holder(tmp_path) is None and claims.newest(tmp_path).ended == "done"
    assert claims.acquire(tmp_path).number == 2
    assert [path.name for path in sorted((tmp_path / "claims").iterdir())] == [
        "0001.json",
        "0002.json",
    ]


def test_a_dead_process_of_this_machine_holds_nothing(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from ablations.runs import claims\n"
        "assert claims.acquire(Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path], check=True)
    assert claims.newest(tmp_path).ended is None
    assert claims.holder(tmp_path) is None
    assert claims.acquire(tmp_path).number == 2


def test_silence_is_judged_by_changes_and_the_own_clock(tmp_path: Path) -> None:
    # Dates of files and clocks of others play no part: the claim below is as old as can be.
    claim = claim_elsewhere(tmp_path)
    os.utime(tmp_path / "claims" / "0001.json", (0, 0))
    clock = Clock()
    watch = Watch(60, clock)
    assert watch.holder(tmp_path) == claim
    clock.now = 59.0
    assert watch.holder(tmp_path) == claim
    claims.write(tmp_path, replace(claim, beat=1))
    clock.now = 118.0
    assert watch.holder(tmp_path).beat == 1
    clock.now = 179.0
    assert watch.holder(tmp_path) is None
    assert claims.newest(tmp_path).ended == "lost: silent for 61 s"
    assert not claims.is_newest(tmp_path, claim), "so its owner finds out"
    assert claims.acquire(tmp_path).number == 3


def test_who_looks_too_late_breaks_nothing(tmp_path: Path) -> None:
    old = claim_elsewhere(tmp_path)
    assert claims.break_claim(tmp_path, old, "lost")
    new = claims.acquire(tmp_path)
    assert not claims.break_claim(tmp_path, old, "lost")
    assert claims.holder(tmp_path) == new


def test_the_next_process_of_a_place_need_not_wait(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv(claims.PLACE_VARIABLE, "job 12")
    claim = claim_elsewhere(tmp_path)
    assert claim.place == "job 12" and "job 12" in claim.whose
    assert claims.acquire(tmp_path).number == 2
    claim_elsewhere(tmp_path / "other")
    monkeypatch.setenv(claims.PLACE_VARIABLE, "job 13")
    assert claims.acquire(tmp_path / "other") is None


def test_a_broken_claim_holds_until_it_is_stale(tmp_path: Path) -> None:
    claims.acquire(tmp_path)
    (tmp_path / "claims" / "0001.json").write_text("{")
    clock = Clock()
    watch = Watch(10, clock)
    assert watch.holder(tmp_path).owner.host == "unknown"
    clock.now = 11.0
    assert watch.holder(tmp_path) is None


def test_disks_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    assert claims.acquire(tmp_path).number == 1
    assert claims.acquire(tmp_path) is None
    assert [path.name for path in (tmp_path / "claims").iterdir()] == ["0001.json"]


def test_a_link_that_was_made_though_an_error_came_back(tmp_path: Path, monkeypatch) -> None:
    link = os.link

    def lose_the_reply(source: Path, target: Path) -> None:
        link(source, target)
        raise OSError("timed out")

    monkeypatch.setattr(os, "link", lose_the_reply)
    assert claims.acquire(tmp_path).number == 1
