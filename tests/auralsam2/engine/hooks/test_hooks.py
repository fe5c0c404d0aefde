"""The hooks that make runs resumable, small and honest."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from auralsam2.engine.hooks.progress_hook import ProgressHook
from auralsam2.engine.hooks.step_seed_hook import EpochHook, StepSeedHook, step_seed
from auralsam2.engine.hooks.trainable_state_hook import TrainableStateHook, trainable_state
from auralsam2.engine.progress import Progress
from auralsam2.engine.run_record import RunRecord


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.frozen = nn.Linear(2, 2).requires_grad_(False)
        self.trained = nn.BatchNorm1d(2)
        self.generator = torch.Generator()


def test_step_seeds_differ_by_seed_step_and_rank() -> None:
    seeds = {step_seed(s, i, r) for s in range(20) for i in range(200) for r in range(4)}
    assert len(seeds) == 20 * 200 * 4
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_step_seed_fixes_dropout_and_the_models_generator() -> None:
    runner = SimpleNamespace(iter=7, rank=0, model=Model())
    hook = StepSeedHook(seed=1)

    def draw() -> tuple[list, list]:
        hook.before_train_iter(runner, 0)
        return torch.rand(3).tolist(), torch.rand(3, generator=runner.model.generator).tolist()

    first = draw()
    assert draw() == first
    runner.iter = 8
    assert draw() != first


def test_checkpoints_hold_what_training_changes() -> None:
    model = Model()
    kept = set(trainable_state(model))
    assert "trained.weight" in kept and "trained.running_mean" in kept
    assert not any(key.startswith("frozen") for key in kept)
    checkpoint = {"state_dict": dict(model.state_dict())}
    TrainableStateHook().before_save_checkpoint(SimpleNamespace(model=model), checkpoint)
    assert set(checkpoint["state_dict"]) == kept


def test_progress_stops_at_a_loss_that_is_no_number() -> None:
    runner = SimpleNamespace(iter=5, epoch=0, max_epochs=2)
    hook = ProgressHook(Progress(), RunRecord(), Path())
    hook.after_train_iter(runner, 0, outputs={"loss": torch.tensor(1.0)})
    with pytest.raises(FloatingPointError, match="step 5.*loss_dice"):
        outputs = {"loss": torch.tensor(float("nan")), "loss_dice": torch.tensor(float("nan"))}
        hook.after_train_iter(runner, 0, outputs=outputs)


class Clips:
    def __init__(self) -> None:
        self.epochs: list[int] = []

    def set_epoch(self, epoch: int) -> None:
        self.epochs.append(epoch)


def _runner(dataset: object, epoch: int) -> SimpleNamespace:
    return SimpleNamespace(train_dataloader=SimpleNamespace(dataset=dataset), epoch=epoch)


def test_the_loaders_own_data_set_is_told() -> None:
    clips = Clips()
    for epoch in (0, 1, 5):  # 5: resumed
        EpochHook().before_train_epoch(_runner(clips, epoch))
    assert clips.epochs == [0, 1, 5]


def test_a_data_set_that_does_not_ask_is_left_alone() -> None:
    EpochHook().before_train_epoch(_runner([1, 2], 3))
