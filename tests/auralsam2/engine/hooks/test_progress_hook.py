"""A loss that is no number ends a run; what is told of steps is shown in the tests of train."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from auralsam2.engine.hooks.progress_hook import ProgressHook
from auralsam2.engine.progress import Progress
from auralsam2.engine.run_record import RunRecord


def test_progress_stops_at_a_loss_that_is_no_number() -> None:
    runner = SimpleNamespace(iter=5, epoch=0, max_epochs=2)
    hook = ProgressHook(Progress(), RunRecord(), Path())
    hook.after_train_iter(runner, 0, outputs={"loss": torch.tensor(1.0)})
    with pytest.raises(FloatingPointError, match="step 5.*loss_dice"):
        outputs = {"loss": torch.tensor(float("nan")), "loss_dice": torch.tensor(float("nan"))}
        hook.after_train_iter(runner, 0, outputs=outputs)
