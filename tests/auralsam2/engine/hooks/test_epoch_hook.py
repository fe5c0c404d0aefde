"""The data set hears of the epoch."""

from types import SimpleNamespace

from auralsam2.engine.hooks.epoch_hook import EpochHook


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
