"""Random draws hang on seed, step and epoch alone."""

from types import SimpleNamespace

import torch

from auralsam2.engine.hooks.step_seed_hook import EpochHook, StepSeedHook, step_seed


def test_step_seeds_differ_by_seed_step_and_rank() -> None:
    seeds = {step_seed(s, i, r) for s in range(20) for i in range(200) for r in range(4)}
    assert len(seeds) == 20 * 200 * 4
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_step_seed_fixes_dropout_and_the_models_generator() -> None:
    runner = SimpleNamespace(iter=7, rank=0, model=SimpleNamespace(generator=torch.Generator()))
    hook = StepSeedHook(seed=1)

    def draw() -> tuple[list, list]:
        hook.before_train_iter(runner, 0)
        return torch.rand(3).tolist(), torch.rand(3, generator=runner.model.generator).tolist()

    first = draw()
    assert draw() == first
    runner.iter = 8
    assert draw() != first


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
