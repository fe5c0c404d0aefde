from __future__ import annotations

import pytest
from optuna.trial import TrialState

from ablations.sweeps.trial import HELD, Pruning, TrialResult, run_trial, summarise
from auralsam2.engine import run_record
from auralsam2.engine.progress import Progress, StopRun

MEDIAN = dict(type="median", n_startup_trials=1)


@pytest.fixture
def pruned_study(write_sweep, open_study):
    """A study in which one good trial has ended, and the item of the next one."""
    study = open_study(write_sweep(pruner=MEDIAN))
    with study.presence.joined():
        first = study.next_trial(9)
        for epoch in range(1, 5):
            study.storage.set_trial_intermediate_value(first.trial_id, epoch, 0.9)
        study.settle(first, TrialResult(TrialState.COMPLETE, (0.9,)))
        yield study, study.next_trial(9)


def test_a_poor_trial_is_stopped_where_it_trains(pruned_study, fake_trials) -> None:
    study, item = pruned_study
    result = fake_trials.work(item, Progress())
    assert result.state == TrialState.PRUNED and result.notes["num_trainable"] is not None
    record = run_record.read(item.run_dir)
    assert record.status == "stopped" and len(record.curve) == 1
    assert record.stopped_because == result.text
    assert result.text.startswith("pruned by median after epoch 1 of 4: J ")
    (value,) = study.storage.get_trial(item.trial_id).intermediate_values.values()
    assert value == record.curve[0]["scores"]["J"]


def test_the_last_epoch_is_not_pruned(pruned_study) -> None:
    _, item = pruned_study
    listener = Pruning(item, item.runs[0], Progress())
    listener.validated(4, {"J": 0.1})
    with pytest.raises(StopRun, match="after epoch 3 of 4: J 0.1 on val"):
        listener.validated(3, {"J": 0.1})


def test_what_was_validated_but_not_reported_is_made_up_for(pruned_study) -> None:
    """A kill between the two must not spare a trial."""
    study, item = pruned_study
    record = run_record.start(
        name="t", axes={}, seed=0, run_id="r", config_hash="c", data_fingerprint="d"
    )
    run_record.add_validation(record, 1, {"J": 0.1})
    run_record.write(record, item.run_dir)
    with pytest.raises(StopRun, match="after epoch 1 of 4"):
        Pruning(item, item.runs[0], Progress()).start_run(10, 4)
    assert study.storage.get_trial(item.trial_id).intermediate_values == {1: 0.1}
    Pruning(item, item.runs[0], Progress()).start_run(10, 4)  # reported by now


def test_a_run_whose_record_is_damaged_is_done_and_nothing_is_lost(
    write_sweep, open_study, fake_trials
) -> None:
    study = open_study(write_sweep())
    with study.presence.joined():
        item = study.next_trial(9)
    item.run_dir.mkdir(parents=True)
    (item.run_dir / run_record.FILE_NAME).write_text('{"schema": ')
    assert fake_trials.work(item, Progress()).state == TrialState.COMPLETE
    assert (item.run_dir / "record.damaged-1.json").read_text() == '{"schema": '
    assert "its record is record.damaged-1.json" in run_record.read(item.run_dir).notes[-1]


def test_later_seeds_train_only_where_the_first_one_was_not_pruned(
    write_sweep, open_study, fake_trials
) -> None:
    study = open_study(write_sweep(seeds=[0, 1], pruner=MEDIAN))
    with study.presence.joined():
        item = study.next_trial(1)

        def stopped(cfg, run_dir, **arguments):
            record = fake_trials.train(cfg, run_dir, **arguments)
            return record if cfg.seed else run_record.stop(record, "poor", 1.0)

        assert run_trial(item, Progress(), train=stopped).state == TrialState.PRUNED
        assert [run.run_dir.exists() for run in item.runs] == [True, False]


def test_a_run_that_another_process_has_is_left_to_it(
    write_sweep, open_study, fake_trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ablations.runs import claims

    study = open_study(write_sweep())
    with study.presence.joined():
        item = study.next_trial(1)
    claim = claims.acquire(item.run_dir, "another")
    assert fake_trials.work(item, Progress()).state == HELD
    claims.end(item.run_dir, claim, "interrupted")
    assert fake_trials.work(item, Progress()).state == TrialState.COMPLETE


def test_a_score_that_is_no_number_fails(write_sweep) -> None:
    sweep = write_sweep()
    record = run_record.RunRecord(status="done", selection={"metric": "J", "value": float("nan")})
    result = summarise(sweep.objectives, [record])
    assert (result.state, result.text) == (TrialState.FAIL, "J is nan")
