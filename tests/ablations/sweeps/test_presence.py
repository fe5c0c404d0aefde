from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from ablations.runs import claims
from ablations.sweeps.presence import ALIVE, GONE, UNSURE, Presence, beating


def test_drivers_of_other_machines_are_judged_by_their_beats(tmp_path: Path, monkeypatch) -> None:
    now = [0.0]
    other, mine = Presence(tmp_path), Presence(tmp_path, clock=lambda: now[0])
    with monkeypatch.context() as patch:
        patch.setattr("ablations.runs.processes._machine", lambda: "elsewhere")
        with other.joined():
            patch.undo()
            assert mine.state(other.own) == UNSURE
            now[0] = 200.0
            assert mine.state(other.own) == GONE
    assert mine.state("never-seen") == GONE and not mine.is_known("never-seen")
    assert mine.state(mine.own) == ALIVE


def test_a_driver_elsewhere_that_beats_is_alive(tmp_path: Path, monkeypatch) -> None:
    other, mine = Presence(tmp_path), Presence(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("ablations.runs.processes._machine", lambda: "elsewhere")
        claim = claims.acquire(tmp_path / other.own, other.own)
    assert mine.state(other.own) == UNSURE
    claims.write(tmp_path / other.own, claims.replace(claim, beat=1))
    assert mine.state(other.own) == ALIVE


def test_lost_beats_are_told_and_beats_go_on(caplog: pytest.LogCaptureFixture) -> None:
    outcomes = iter([OSError("away"), None, TypeError("gone"), OSError("gone"), None])
    enough = threading.Event()

    def beat() -> None:
        outcome = next(outcomes, enough)
        if isinstance(outcome, Exception):
            raise outcome
        if outcome is enough:
            enough.set()

    with caplog.at_level(logging.WARNING), beating(beat, every_s=0.001):
        assert enough.wait(5)
    assert [record.getMessage() for record in caplog.records] == [
        f"beat {lost} in a row is lost, without them others repeat these trials: {error}"
        for lost, error in ((1, "OSError: away"), (1, "TypeError: gone"), (2, "OSError: gone"))
    ]


def test_beats_end_with_the_sweep() -> None:
    beaten = threading.Event()
    with beating(beaten.set, every_s=0.001):
        assert beaten.wait(5)
    assert not [t for t in threading.enumerate() if t.name == "beat"]
