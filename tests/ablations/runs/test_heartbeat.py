from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ablations.runs import claims
from ablations.runs.heartbeat import ClaimLostError, Heartbeat
from auralsam2.engine.progress import Progress

from ..conftest import until


@pytest.fixture
def beating(tmp_path: Path) -> Callable[..., Heartbeat]:
    def make(beat_s: float = 60.0) -> Heartbeat:
        return Heartbeat(tmp_path, claims.acquire(tmp_path), Progress(), beat_s)

    return make


def test_progress_and_end_are_written(beating, tmp_path: Path) -> None:
    with beating() as beat:
        beat.start_run(4, 2)
        beat.step(1, 2, "loss 0.50")
        beat.beat()
        claim = claims.newest(tmp_path)
        assert claim.beat == 1 and claim.ended is None
        assert claim.progress["elapsed_s"] >= 0
        told = {key: claim.progress[key] for key in ("phase", "step", "total", "epoch", "epochs")}
        assert told == dict(phase="training", step=1, total=4, epoch=1, epochs=2)
        assert claim.progress["postfix"] == "loss 0.50"
        for _ in range(3):
            beat.step(2, 2, "loss 0.40")
        beat.validated(2, {"J": 0.5})
        beat.finish_run()
        beat.how = "done"
    ended = claims.newest(tmp_path)
    assert (ended.ended, ended.progress["step"], ended.progress["phase"]) == ("done", 4, "testing")


def test_it_beats_by_itself(beating, tmp_path: Path) -> None:
    with beating(beat_s=0.01):
        until(lambda: claims.newest(tmp_path).beat >= 2)


def test_an_interrupt_frees_the_run(beating, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), beating():
        raise KeyboardInterrupt
    assert claims.newest(tmp_path).ended == "interrupted"
    assert claims.acquire(tmp_path) is not None


@pytest.mark.parametrize("call", ["step", "validated", "finish_run"])
def test_who_was_taken_over_stops(beating, tmp_path: Path, call: str) -> None:
    arguments = {"step": (1, 2, ""), "validated": (1, {}), "finish_run": ()}[call]
    with pytest.raises(ClaimLostError, match="taken over"), beating() as beat:
        getattr(beat, call)(*arguments)
        assert claims.break_claim(tmp_path, beat.claim, "lost: silent")
        successor = claims.acquire(tmp_path)
        beat.beaten -= 1000  # as after a long sleep: it looks before it goes on
        getattr(beat, call)(*arguments)
    assert claims.holder(tmp_path) == successor, "it leaves the new claim alone"


def test_a_full_disk_does_not_end_a_run(beating, monkeypatch: pytest.MonkeyPatch) -> None:
    with beating(beat_s=0.01) as beat:

        def full(*_: object) -> None:
            full.calls += 1
            raise OSError("disk full")

        full.calls = 0
        monkeypatch.setattr(claims, "write", full)
        until(lambda: full.calls >= 2)
        beat.step(1, 1, "")
