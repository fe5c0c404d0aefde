from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from optuna.trial import TrialState

from ablations.sweeps.presence import ALIVE, GONE
from ablations.sweeps.storage import quiet
from ablations.sweeps.trial import TrialResult
from auralsam2.engine import run_record

from .conftest import in_threads


def complete(*values: float) -> TrialResult:
    return TrialResult(TrialState.COMPLETE, values, "J")


def numbers(study, *states: str) -> list[int]:
    return [trial.number for trial in study.trials() if trial.state.name in states]


def test_trials_are_handed_out_up_to_the_limit(write_sweep, open_study) -> None:
    study = open_study(write_sweep())
    with study.presence.joined():
        items = [study.next_trial(2) for _ in range(3)]
        assert items[2] is None and [item.number for item in items[:2]] == [0, 1]
        study.settle(items[0], complete(0.5))
        assert study.next_trial(2) is None
        assert study.next_trial(3).number == 2
    assert items[0].run_dir.name.startswith("trial-0000-s0-")
    assert items[0].runs[0].cfg.model.fusion.type == "SumFusion"


def test_the_trial_of_a_lost_driver_goes_on_as_it_was(write_sweep, open_study) -> None:
    sweep = write_sweep()
    lost = open_study(sweep)
    with lost.presence.joined():
        items = [lost.next_trial(5) for _ in range(2)]
        other = open_study(sweep)
        with other.presence.joined():  # a living driver keeps its trials
            assert other.next_trial(3).number == 2
            assert other.next_trial(3) is None
    finder = open_study(sweep)
    with finder.presence.joined():
        found = [finder.next_trial(5) for _ in range(3)]
        assert [item.number for item in found] == [0, 1, 2]
        assert [item.values for item in found[:2]] == [item.values for item in items]
        assert found[1].run_dir == items[1].run_dir and not found[1].retried
    assert numbers(finder, "RUNNING") == [0, 1, 2]


def test_a_trial_that_was_asked_for_but_not_taken_is_found(write_sweep, open_study) -> None:
    """As after a kill in the moment between the two."""
    sweep = write_sweep()
    first = open_study(sweep)
    whole = open_study(sweep)
    first.study.ask()
    with whole.presence.joined():
        assert whole.next_trial(3).number == 0


def test_a_database_retries_what_has_no_heartbeat(
    write_sweep, open_study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines that share a database but no disk."""
    url = f"sqlite:///{tmp_path / 'study.db'}"
    here, there = (write_sweep(arguments=dict(out=tmp_path / name)) for name in ("a", "b"))
    lost = open_study(here, url)
    with lost.presence.joined():
        item = lost.next_trial(9)
        lost.beat()
    study = open_study(there, url)
    with study.presence.joined():
        assert study.next_trial(9).number == 1  # the other one may well be alive
        monkeypatch.setattr(
            study.study._storage, "_get_stale_trial_ids", lambda study_id: [item.trial_id]
        )
        retried = study.next_trial(9)
    assert (retried.number, retried.retried, retried.values) == (2, True, item.values)
    assert retried.run_dir.name == item.run_dir.name
    assert numbers(study, "FAIL") == [0] and study.ended() == []


def test_a_database_takes_up_the_trials_of_a_driver_of_this_folder(
    write_sweep, open_study, tmp_path: Path
) -> None:
    sweep, url = write_sweep(), f"sqlite:///{tmp_path / 'study.db'}"
    lost = open_study(sweep, url)
    with lost.presence.joined():
        item = lost.next_trial(9)
    study = open_study(sweep, url)
    with study.presence.joined():
        found = study.next_trial(9)
    assert (found.number, found.values, found.retried) == (0, item.values, False)


def test_a_nameless_trial_of_a_database_is_given_time(
    write_sweep, open_study, tmp_path: Path
) -> None:
    study = open_study(write_sweep(), f"sqlite:///{tmp_path / 'study.db'}")
    with quiet():
        study.study.ask()
    (trial,) = study.trials()
    assert study._owner(trial) == ALIVE
    trial.datetime_start = datetime.now() - timedelta(hours=1)
    assert study._owner(trial) == GONE


def test_a_trial_that_is_told_twice_stays(write_sweep, open_study) -> None:
    study = open_study(write_sweep())
    with study.presence.joined():
        item = study.next_trial(1)
        study.settle(item, complete(0.5))
        study.settle(item, complete(0.9))
    assert study.trials()[0].values == [0.5]


def test_values_that_do_not_go_together_fail_at_once(write_sweep, open_study) -> None:
    study = open_study(write_sweep())
    study.fingerprint = lambda cfg: (_ for _ in ()).throw(FileNotFoundError("no such clips"))
    with study.presence.joined():
        assert study.next_trial(2) is None
    assert [result.text for _, result in study.at_once] == ["no such clips"] * 2
    assert study.failures_in_a_row == 2 and numbers(study, "FAIL") == [0, 1]


def test_what_other_code_found_is_not_taken_over(
    write_sweep, open_study, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = {"model.fusion.num_heads": dict(type="int", low=2, high=3)}
    study = open_study(write_sweep(space=heads, sampler="grid"))
    with study.presence.joined():
        study.settle(study.next_trial(3), complete(0.5))
        item = study.next_trial(3)
        assert item.values == {"model.fusion.num_heads": 3}
        monkeypatch.setattr("ablations.sweeps.study.code_version", lambda: "0.2+other")
        again = study.next_trial(3)
    assert again.values == {"model.fusion.num_heads": 2} and study.at_once == []


def test_records_of_an_earlier_session_are_not_trained_again(
    write_sweep, open_study, fake_trials
) -> None:
    """The driver died between the end of a trial and telling so."""
    sweep = write_sweep()
    lost = open_study(sweep)
    with lost.presence.joined():
        items = [lost.next_trial(3) for _ in range(3)]
        ends = [fake_trials.work(item, None) for item in items]
        run_record.write(
            run_record.fail(run_record.read(items[1].run_dir), "OSError: disk full"),
            items[1].run_dir,
        )
        run_record.write(
            run_record.stop(run_record.read(items[2].run_dir), "pruned", 1.0), items[2].run_dir
        )
    finder = open_study(sweep)
    with finder.presence.joined():
        found = [fake_trials.work(finder.next_trial(3), None) for _ in range(3)]
    assert [result.state for result in found] == [
        TrialState.COMPLETE,
        TrialState.FAIL,
        TrialState.PRUNED,
    ]
    assert found[0] == ends[0]
    assert {len((item.run_dir / "starts").read_text()) for item in items} == {1}


def test_no_trial_is_given_to_two_threads(write_sweep, open_study) -> None:
    sweep = write_sweep(sampler="random")
    studies = [open_study(sweep) for _ in range(3)]
    given: list[int] = []

    def take(study) -> None:
        with study.presence.joined():
            while (item := study.next_trial(6)) is not None:
                given.append(item.number)

    in_threads(*(partial(take, study) for study in studies))
    assert sorted(set(given)) == list(range(6))
