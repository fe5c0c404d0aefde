"""Checkpoints hold what training changes."""

from types import SimpleNamespace

from torch import nn

from auralsam2.engine.hooks.trainable_state_hook import TrainableStateHook, trainable_state


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.frozen = nn.Linear(2, 2).requires_grad_(False)
        self.trained = nn.BatchNorm1d(2)


def test_checkpoints_hold_what_training_changes() -> None:
    model = Model()
    kept = set(trainable_state(model))
    assert "trained.weight" in kept and "trained.running_mean" in kept
    assert not any(key.startswith("frozen") for key in kept)
    checkpoint = {"state_dict": dict(model.state_dict())}
    TrainableStateHook().before_save_checkpoint(SimpleNamespace(model=model), checkpoint)
    assert set(checkpoint["state_dict"]) == kept
